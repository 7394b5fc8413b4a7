import { afterAll, beforeAll, expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { exchange } from './connection.ts';
import { makeHttpMessage } from './http-message.ts';
import { OperationMaker, type Operation } from './operation.ts';
import type { Random } from './random.ts';
import { runSession } from './socket-session.ts';
import { FuzzTarget, type Finding } from './target.ts';
import { faultsOf } from './verdict.ts';

const WARM_UP = 300;
const REQUESTS = 2_500;
const SOCKETS = 900;
/**
 * In MB. Caches that have an end are still filling, with documents and plans of all that the schema has: after fifty times
 * the warm-up (15,000 requests and 5,400 sockets, 245 MB) the same messages add 4.
 */
const HEAP_GROWTH_MAX = 45;
/** A server that waits for the rest of a message says nothing. */
const PATIENCE_MS = 400;

let target: FuzzTarget;
let socketMessages = 0;
beforeAll(async () => {
  target = await FuzzTarget.start();
}, 60_000);
afterAll(() => target.close());

function generate(random: Random): Operation {
  const maker = new OperationMaker(schema, random, target.ids);
  return maker.make(random.chance(0.5) ? 'subscription' : random.chance(0.9) ? 'query' : 'mutation');
}

async function sendRequest(random: Random): Promise<Finding> {
  const { query, variables } = generate(random);
  const operation = `{"query":${JSON.stringify(query)},"variables":${variables}}`;
  const means = { token: target.token, host: target.url.host, operation };
  const message = makeHttpMessage(random, means);
  const received = await exchange(
    target.url,
    (socket) => socket.write(message),
    () => false,
    PATIENCE_MS,
  );
  return { faults: faultsInResponse(received.toString()), sent: message.toString('latin1') };
}

function faultsInResponse(text: string): string[] {
  if (text === '') return [];
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1];
  if (!status) return [`no HTTP: ${text.slice(0, 100)}`];
  // Pages have their own code inside, and words about it.
  const isPage = /^content-type: text\/html/im.test(text);
  const body = text.slice(text.indexOf('\r\n\r\n') + 4);
  return faultsOf({ status: Number(status), body: isPage ? '' : body });
}

async function speak(random: Random): Promise<Finding> {
  const { finding, sent } = await runSession(random, { url: target.url, token: target.token, generate });
  socketMessages += sent;
  return finding;
}

test(
  `${WARM_UP + REQUESTS} broken HTTP messages and ${WARM_UP + SOCKETS} sockets with odd frames and messages: no crash, no defect, no leak, no growth`,
  { timeout: 240_000 },
  async () => {
    const found = await target.run('http warm-up', WARM_UP, sendRequest);
    found.push(...(await target.run('socket warm-up', WARM_UP, speak)));
    const before = await target.heapMegabytes();
    found.push(...(await target.run('http', REQUESTS, sendRequest)));
    found.push(...(await target.run('socket', SOCKETS, speak)));
    const after = await target.heapMegabytes();
    process.stdout.write(
      `fuzz: ${socketMessages} messages on sockets; heap ${before.toFixed(0)} MB after warm-up, ${after.toFixed(0)} MB at the end\n`,
    );
    expect(found).toEqual([]);
    expect(socketMessages).toBeGreaterThan(3_000);
    expect(after - before).toBeLessThan(HEAP_GROWTH_MAX);
  },
);
