import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newUuid, toPublicId } from '../../src/domain/ids.ts';
import { createMasterSecret, fileUrl, openSigner, uploadUrl } from '../../src/secrets/index.ts';

const signer = openSigner(createMasterSecret('s'.repeat(32)));
const organizationId = newUuid();
const now = new Date('2026-03-01T12:00:00Z');
const expiresAt = new Date('2026-03-01T13:00:00Z');
const claims = { purpose: 'file', method: 'GET' } as const;
const path = '/files/fil_01jqz3v0yfe8t9mqxk4r0p1n2a';

function signed(): URL {
  return new URL(signer.sign(path, { ...claims, organizationId }, expiresAt), 'http://localhost');
}

describe('a signed URL', () => {
  test('is valid for what it was signed for, until it expires', () => {
    const { pathname, searchParams } = signed();
    expect(signer.verify(pathname, searchParams, claims, now)).toEqual({
      type: 'valid',
      organizationId,
      expiresAt,
    });
    const last = new Date(expiresAt.getTime() - 1);
    expect(signer.verify(pathname, searchParams, claims, last).type).toBe('valid');
    expect(signer.verify(pathname, searchParams, claims, expiresAt)).toEqual({
      type: 'expired',
      expiredAt: expiresAt,
    });
  });

  test('is invalid for another path, method or purpose, or with another secret', () => {
    const { pathname, searchParams } = signed();
    expect(signer.verify(`${pathname}x`, searchParams, claims, now).type).toBe('invalid');
    expect(signer.verify(pathname, searchParams, { ...claims, method: 'PUT' }, now).type).toBe('invalid');
    expect(signer.verify(pathname, searchParams, { ...claims, purpose: 'upload' }, now).type).toBe('invalid');
    const other = openSigner(createMasterSecret('t'.repeat(32)));
    expect(other.verify(pathname, searchParams, claims, now).type).toBe('invalid');
  });

  test('is invalid for another organization or a later expiry', () => {
    for (const [name, value] of [
      ['organization', toPublicId('organization', newUuid())],
      ['expires', String(expiresAt.getTime() / 1000 + 3600)],
    ] as const) {
      const { pathname, searchParams } = signed();
      searchParams.set(name, value);
      expect(signer.verify(pathname, searchParams, claims, now).type).toBe('invalid');
    }
  });

  test('is invalid once any character of its signature is another', () => {
    const { pathname, searchParams } = signed();
    const signature = searchParams.get('signature') ?? '';
    for (let index = 0; index < signature.length; index += 1) {
      const changed = signature[index] === 'A' ? 'B' : 'A';
      searchParams.set('signature', signature.slice(0, index) + changed + signature.slice(index + 1));
      expect(signer.verify(pathname, searchParams, claims, now).type).toBe('invalid');
    }
  });

  test('is invalid with anything beside what was signed, also the same once more', () => {
    const { pathname, searchParams } = signed();
    for (const [name, value] of [...searchParams, ['x', '']] as const) {
      const more = new URLSearchParams(searchParams);
      more.append(name, value);
      expect(signer.verify(pathname, more, claims, now).type).toBe('invalid');
    }
  });

  test('is invalid, and never an error, whatever the query', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('organization', 'expires', 'signature', 'x'), fc.string()),
        (query) => {
          expect(signer.verify(path, new URLSearchParams(query), claims, now).type).toBe('invalid');
        },
      ),
    );
  });

  test('is absolute and names its object by its public id', () => {
    const target = { id: newUuid(), organizationId };
    const upload = new URL(uploadUrl(signer, 'https://jobs.example.com/base', target, expiresAt));
    expect(upload.origin + upload.pathname).toBe(
      `https://jobs.example.com/base/uploads/${toPublicId('upload', target.id)}`,
    );
    const file = new URL(fileUrl(signer, 'http://127.0.0.1:4000', target, expiresAt));
    expect(file.pathname).toBe(`/files/${toPublicId('file', target.id)}`);
    expect(signer.verify(file.pathname, file.searchParams, claims, now).type).toBe('valid');
  });
});
