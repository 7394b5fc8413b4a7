import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createMasterSecret, openCipher, SecretUnreadableError } from '../../src/secrets/index.ts';

const master = createMasterSecret('a secret of an installation, long enough');
const place = { table: 'webhook_endpoints', column: 'secret', rowId: randomUUID() };
const key = (id: string) => ({ id, key: randomBytes(32) });

describe('the cipher', () => {
  it('gives back what it encrypted, and never the same text twice', () => {
    const cipher = openCipher(master, []);
    const [one, two] = [cipher.encrypt('whsec_grüße', place), cipher.encrypt('whsec_grüße', place)];
    expect(one).not.toBe(two);
    expect(one).toMatch(/^v1\.master\.[\w-]+$/);
    expect(one).not.toContain('whsec');
    expect([one, two].map((text) => cipher.decrypt(text, place))).toEqual(['whsec_grüße', 'whsec_grüße']);
  });

  it.each([
    ['another row', { ...place, rowId: randomUUID() }],
    ['another column', { ...place, column: 'previous_secret' }],
    ['another table', { ...place, table: 'connections' }],
  ])('does not read in %s what was copied there', (_where, elsewhere) => {
    const cipher = openCipher(master, []);
    const text = cipher.encrypt('secret', place);
    expect(() => cipher.decrypt(text, elsewhere)).toThrow(SecretUnreadableError);
  });

  it('refuses every text that was changed in one bit', () => {
    const cipher = openCipher(master, []);
    const [version = '', id = '', sealed = ''] = cipher.encrypt('secret', place).split('.');
    const bytes = Buffer.from(sealed, 'base64url');
    for (let bit = 0; bit < bytes.byteLength * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      const text = [version, id, changed.toString('base64url')].join('.');
      expect(() => cipher.decrypt(text, place)).toThrow(SecretUnreadableError);
    }
  });

  it.each(['', 'v1', 'v1.master.', 'v1.master.AAAA', 'v2.master.AAAA', 'plain text'])(
    'refuses %j, which it did not write',
    (text) => {
      expect(() => openCipher(master, []).decrypt(text, place)).toThrow(SecretUnreadableError);
    },
  );

  it('reads what older keys encrypted and writes under the first', () => {
    const [old, young] = [key('2025'), key('2026')];
    const derived = openCipher(master, []).encrypt('first', place);
    const older = openCipher(master, [old]).encrypt('second', place);
    const cipher = openCipher(master, [young, old]);
    expect(cipher.decrypt(derived, place)).toBe('first');
    expect(cipher.decrypt(older, place)).toBe('second');
    expect(cipher.encrypt('third', place).startsWith(cipher.currentPrefix)).toBe(true);
    expect(cipher.currentPrefix).toBe('v1.2026.');
  });

  it('names the key that is missing, and nothing of the secret', () => {
    const text = openCipher(master, [key('2025')]).encrypt('hunter2', place);
    expect(() => openCipher(master, []).decrypt(text, place)).toThrow(/"2025" is not configured/);
    expect(() => openCipher(master, [key('2025')]).decrypt(text, place)).toThrow(/another key/);
  });

  it('is another one under another master secret', () => {
    const text = openCipher(master, []).encrypt('secret', place);
    const other = openCipher(createMasterSecret('the secret of another installation'), []);
    expect(() => other.decrypt(text, place)).toThrow(SecretUnreadableError);
  });
});
