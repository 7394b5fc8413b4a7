import { describe, expect, it } from 'vitest';
import { newUuid, parsePublicId, toPublicId, uuidOf } from '../../src/domain/ids.ts';

describe('public ids', () => {
  it('carry the type and give the uuid back', () => {
    const uuid = newUuid();
    const id = toPublicId('job', uuid);
    expect(id).toMatch(/^job_[0-9a-z]{26}$/);
    expect(parsePublicId(id)).toEqual({ type: 'job', uuid });
  });

  it('sort by the time they were made', () => {
    const made = Array.from({ length: 500 }, () => newUuid());
    expect(made.toSorted()).toEqual(made);
  });

  it.each([
    '',
    'job_',
    'job',
    '1',
    'job_zzz',
    'nope_01h455vb4pex5vsknk084sn02q',
    "job_'; DROP TABLE jobs",
    'job_81h455vb4pex5vsknk084sn02q',
  ])('are null for %j', (id) => {
    expect(parsePublicId(id)).toBeNull();
  });

  it('of another type do not exist as this one', () => {
    expect(uuidOf('upload', toPublicId('job', newUuid()))).toBeNull();
  });
});
