import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLog } from '../../src/lib/log.ts';

function logged(fields: object): string {
  let text = '';
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  createLog({ level: 'info', process: 'test', destination }).info(fields, 'a line');
  return text;
}

describe('the log', () => {
  it.each(['token', 'password', 'secret', 'authorization'])('never holds what stands under %s', (key) => {
    expect(logged({ [key]: 'hunter2', inner: { [key]: 'hunter2' } })).not.toContain('hunter2');
  });

  it('tells of an error its words, its code and its causes, and nothing that a library hung on it', () => {
    const cause = Object.assign(new Error('the socket closed'), { client: { password: 'hunter2' } });
    const err = Object.assign(new Error('no answer', { cause }), {
      code: '57P01',
      client: { user: 'hunter2' },
    });
    const line = logged({ err });
    expect(JSON.parse(line)).toMatchObject({
      err: { type: 'Error', message: 'no answer', code: '57P01', cause: { message: 'the socket closed' } },
    });
    expect(line).not.toContain('hunter2');
  });
});
