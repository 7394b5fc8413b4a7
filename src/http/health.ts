import type { IncomingMessage, ServerResponse } from 'node:http';
import { replyJson } from './reply.ts';

export interface HealthOptions {
  /** @throws what makes this process useless */
  checkReady(signal: AbortSignal): Promise<void>;
  /** True from the moment a shutdown begins */
  isDraining(): boolean;
}

const CHECK_TIMEOUT_MS = 2_000;

/** `/healthz`: the process answers. `/readyz`: it can serve; 503 says why not, so that a balancer turns elsewhere. */
export function createHealthHandler({ checkReady, isDraining }: HealthOptions) {
  return async (req: IncomingMessage, res: ServerResponse): Promise<boolean> => {
    const path = req.url?.split('?', 1)[0];
    if (path === '/healthz') {
      replyJson(res, 200, { status: 'ok' });
      return true;
    }
    if (path !== '/readyz') return false;
    const problem = isDraining() ? 'the server is shutting down' : await problemOf(checkReady);
    if (problem === null) replyJson(res, 200, { status: 'ready' });
    else replyJson(res, 503, { status: 'not ready', reason: problem });
    return true;
  };
}

async function problemOf(checkReady: HealthOptions['checkReady']): Promise<string | null> {
  try {
    await checkReady(AbortSignal.timeout(CHECK_TIMEOUT_MS));
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
