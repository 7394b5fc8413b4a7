// Plain JavaScript: it is preloaded into threads too, which run without the loader for TypeScript.
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * Preloaded with --import, it lets a process' wall clock jump: a message { type: 'clock', offsetMs } on the IPC channel
 * sets how far Date is off, in all its threads at once. Monotonic clocks and timers run on, as they do on a machine
 * whose clock is set.
 */
const threads = createRequire(import.meta.url)('node:worker_threads');
const KEY = 'chaos-clock';
/** One 64-bit integer, shared by all threads: how far the clock is off, in ms. */
const offset = threads.getEnvironmentData(KEY) ?? new BigInt64Array(new SharedArrayBuffer(8));
threads.setEnvironmentData(KEY, offset);

const RealDate = globalThis.Date;
const now = () => RealDate.now() + Number(Atomics.load(offset, 0));

globalThis.Date = new Proxy(RealDate, {
  construct: (target, given, newTarget) =>
    Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget),
  apply: () => new RealDate(now()).toString(),
  get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
});

const RealWorker = threads.Worker;
threads.Worker = class extends RealWorker {
  constructor(file, options = {}) {
    const preload = ['--import', fileURLToPath(import.meta.url)];
    super(file, { ...options, execArgv: [...(options.execArgv ?? process.execArgv), ...preload] });
  }
};
syncBuiltinESMExports();

if (threads.isMainThread) {
  process.on('message', (message) => {
    if (message?.type === 'clock') Atomics.store(offset, 0, BigInt(message.offsetMs));
  });
  // Listening for messages alone must not keep the process alive.
  process.channel?.unref();
}
