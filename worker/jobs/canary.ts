import type { canary } from '../../src/jobs/canary.ts';
import type { Handler } from '../context.ts';

export const sing: Handler<typeof canary> = () => Promise.resolve({});
