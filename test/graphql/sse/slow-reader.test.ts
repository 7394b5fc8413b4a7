import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { EventStream } from '../../../src/graphql/sse/event-stream.ts';
import { StreamedOperation } from '../../../src/graphql/sse/streamed-operation.ts';
import { waitFor } from '../../support/wait.ts';

const RESULT_BYTES = 64 * 1024;
const OPERATIONS = 10;

/** Results without an end, each as soon as it is asked for. */
function endless(onNext: () => void): AsyncIterableIterator<{ data: { text: string } }> {
  let isOver = false;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      onNext();
      return Promise.resolve(
        isOver
          ? { done: true, value: undefined }
          : { done: false, value: { data: { text: 'x'.repeat(RESULT_BYTES) } } },
      );
    },
    return() {
      isOver = true;
      return Promise.resolve({ done: true, value: undefined });
    },
  };
}

it('a reader that takes nothing holds its operations up: one result of each waits, and all end with it', async () => {
  let ended = 0;
  let asked = 0;
  let closed = 0;
  const stream = new EventStream({
    organizationId: 'a',
    credentials: { token: 'x', organization: null },
    reservedMs: 60_000,
    onClose: () => (closed += 1),
  });
  let answer: ServerResponse | null = null;
  const server = createServer((_req, res) => {
    answer = res;
    stream.connect(res);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const reader = connect((server.address() as AddressInfo).port, '127.0.0.1');
  reader.pause();
  reader.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await waitFor(() => stream.isConnected);

  for (let n = 0; n < OPERATIONS; n += 1) {
    const operation = new StreamedOperation(stream, 10, () => (ended += 1));
    operation.claim(`${n}`);
    expect(operation.start(endless(() => (asked += 1)))).toBe(true);
  }
  // The kernel's buffers fill; from then on nothing is asked for.
  let before = -1;
  await waitFor(() => {
    const isStill = asked === before && answer?.writableNeedDrain === true;
    before = asked;
    return isStill;
  });
  expect(answer).toMatchObject({ writableNeedDrain: true });
  expect(Number((answer as ServerResponse | null)?.writableLength)).toBeLessThan(4 * RESULT_BYTES);

  const held = asked;
  reader.resume();
  await waitFor(() => asked > held + OPERATIONS);
  reader.destroy();
  await waitFor(() => ended === OPERATIONS);
  expect([closed, stream.operations.size]).toEqual([1, 0]);
  server.close();
});
