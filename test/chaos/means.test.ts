import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { waitFor } from '../support/wait.ts';
import { readPlan } from './arguments.ts';
import { FAULTS } from './faults/index.ts';

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

describe('a clock that jumps', () => {
  /** Says what time it is, here and in a thread that is started without preloads. */
  const TELLER = `
    import { Worker } from 'node:worker_threads';
    const thread = new Worker(new URL('thread.mjs', import.meta.url), { execArgv: [] });
    process.on('message', (message) => {
      if (message !== 'tell') return;
      thread.once('message', (inThread) => {
        const [made, given] = [new Date(), new Date(5)];
        const isDate = made instanceof Date;
        process.send({ main: Date.now(), made: made.getTime(), given: given.getTime(), inThread, isDate });
      });
      thread.postMessage('tell');
    });
    process.send('ready');`;
  const THREAD = `
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', () => parentPort.postMessage(Date.now()));`;
  const told = z.object({
    main: z.number(),
    made: z.number(),
    inThread: z.number(),
    given: z.number(),
    isDate: z.boolean(),
  });

  async function tell(child: ChildProcess): Promise<z.infer<typeof told>> {
    const answer = once(child, 'message');
    child.send('tell');
    const [message]: unknown[] = await answer;
    return told.parse(message);
  }

  it('jumps in the main thread and in all others, and dates that are given stay', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-clock-'));
    undo.push(() => rm(folder, { recursive: true }));
    const file = join(folder, 'teller.mjs');
    await writeFile(file, TELLER);
    await writeFile(join(folder, 'thread.mjs'), THREAD);
    const child = fork(file, { execArgv: ['--import', new URL('./clock.mjs', import.meta.url).href] });
    undo.push(async () => child.kill('SIGKILL'));
    await once(child, 'message');
    for (const offsetMs of [0, 3_600_000, -3_600_000]) {
      child.send({ type: 'clock', offsetMs });
      const { main, made, inThread, given, isDate } = await tell(child);
      for (const time of [main, made, inThread])
        expect(Math.abs(time - Date.now() - offsetMs)).toBeLessThan(20_000);
      expect({ given, isDate }).toEqual({ given: 5, isDate: true });
    }
  });
});

describe('a proxy', () => {
  /** An echo behind a proxy, and a client in front of it. */
  async function openEcho(): Promise<{ proxy: TcpProxy; open(): ReturnType<typeof connect>; port: number }> {
    const server = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const proxy = await startTcpProxy(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`);
    undo.push(
      async () => server.close(),
      () => proxy.close(),
    );
    const port = Number(new URL(proxy.url).port);
    return { proxy, port, open: () => connect(port, '127.0.0.1') };
  }

  it('that is half-open takes connections and bytes, gives none, and closes nothing until it is mended', async () => {
    const { proxy, open } = await openEcho();
    const heard: string[] = [];
    const events: string[] = [];
    const old = open();
    old.on('data', (chunk) => heard.push(chunk.toString()));
    old.on('error', () => events.push('reset'));
    old.on('end', () => events.push('end'));
    old.write('before');
    await waitFor(() => heard.includes('before'));
    proxy.halfOpen();
    old.write('lost');
    const fresh = open();
    await once(fresh, 'connect');
    fresh.on('error', () => events.push('reset'));
    fresh.write('lost too');
    expect(events).toEqual([]);
    proxy.restore();
    await waitFor(() => events.length === 2);
    expect({ heard, events }).toEqual({ heard: ['before'], events: ['reset', 'reset'] });
    const mended = open();
    mended.write('after');
    const [chunk]: unknown[] = await once(mended, 'data');
    expect(String(chunk)).toBe('after');
    mended.destroy();
  });

  it('that cuts some cuts only those that send what it looks for', async () => {
    const { proxy, open } = await openEcho();
    proxy.cutThoseThatSend(/publish/);
    const [harmless, publisher] = [open(), open()];
    const isCut = new Promise<Error>((resolve) => publisher.once('error', resolve));
    publisher.write('publish');
    expect(await isCut).toMatchObject({ code: 'ECONNRESET' });
    harmless.write('get');
    const [chunk]: unknown[] = await once(harmless, 'data');
    expect(String(chunk)).toBe('get');
    harmless.destroy();
  });
});

describe('the command line', () => {
  it('without arguments runs every fault on every backend where it can happen', () => {
    const { scale, cases } = readPlan([], FAULTS);
    expect(scale).toBe('full');
    expect(new Set(cases.map(({ fault }) => fault.name))).toEqual(new Set(FAULTS.map(({ name }) => name)));
    expect(cases).toHaveLength(FAULTS.flatMap(({ backends }) => backends).length);
  });

  it('takes one fault, one broker, and the short times', () => {
    const { scale, cases } = readPlan(['--fault', 'flush', '--broker', 'redis', '--short'], FAULTS);
    expect({ scale, cases: cases.map(({ fault, backend }) => [fault.name, backend]) }).toEqual({
      scale: 'short',
      cases: [['flush', 'redis']],
    });
  });

  it.each([
    [['--fault', 'flood'], /one of sigkill-worker, .*got flood/],
    [['--fault', 'redis-gone', '--broker', 'postgres'], /redis-gone cannot happen on postgres/],
    [['--broker', 'kafka'], /usage/],
    [['--what'], /usage/],
  ])('%j is refused with what is possible', (args, message) => {
    expect(() => readPlan(args, FAULTS)).toThrow(message);
  });
});
