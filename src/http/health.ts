import type { IncomingMessage, ServerResponse } from 'node:http';
import { raceAbort } from '../lib/abort.ts';
import { replyJson } from './reply.ts';

export interface HealthOptions {
  /** What makes this process useless just now, in words that name no address and no secret; nothing: it is ready */
  notReady(signal: AbortSignal): Promise<readonly string[]>;
}

const CHECK_TIMEOUT_MS = 4_000;

/** `/healthz`: the process answers. `/readyz`: it can serve; 503 says why not, so that a balancer turns elsewhere. */
export function createHealthHandler({ notReady }: HealthOptions) {
  return async (req: IncomingMessage, res: ServerResponse): Promise<boolean> => {
    const path = req.url?.split('?', 1)[0];
    if (path === '/healthz') {
      replyJson(res, 200, { ok: true });
      return true;
    }
    if (path !== '/readyz') return false;
    const reasons = await reasonsOf(notReady);
    replyJson(res, reasons.length === 0 ? 200 : 503, { ok: reasons.length === 0, reasons });
    return true;
  };
}

async function reasonsOf(notReady: HealthOptions['notReady']): Promise<readonly string[]> {
  const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
  try {
    return await raceAbort(notReady(signal), signal);
  } catch (error) {
    if (signal.aborted) return ['the server does not answer in time'];
    throw error;
  }
}
