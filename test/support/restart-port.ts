import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below what Linux, macOS and Windows give to outgoing connections (32768 and up), and above well-known services. */
const LOWEST = 15_000;
const HIGHEST = 32_000;
const TRIES = 50;

/**
 * A free port of 127.0.0.1 for a server that will be stopped and started again on it. The kernel does not give it to
 * an outgoing connection meanwhile, as it might one that it chose itself; a client that tries again and again to reach
 * a server that is away could even meet itself there.
 */
export async function restartPort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port of 127.0.0.1 in ${TRIES} tries from ${LOWEST} to ${HIGHEST}`);
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  try {
    await once(probe.listen(port, '127.0.0.1'), 'listening');
  } catch {
    return false;
  }
  probe.close();
  await once(probe, 'close');
  return true;
}
