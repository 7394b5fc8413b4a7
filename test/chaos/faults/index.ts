import type { Fault } from '../fault.ts';
import { clockJump } from './clock-jump.ts';
import { halfOpenPostgres, halfOpenRedis } from './half-open.ts';
import { eviction, flush } from './lost-broker.ts';
import { poolExhausted } from './pool-exhausted.ts';
import { postgresGone, postgresRestart } from './postgres-away.ts';
import { publisherCut } from './publisher-cut.ts';
import { redisGone, redisRestart } from './redis-away.ts';
import { sessionsKilled } from './sessions-killed.ts';
import { sigkillApi } from './sigkill-api.ts';
import { sigkillWorker } from './sigkill-worker.ts';
import { sigstopCommit, sigstopCopy } from './sigstop-worker.ts';
import { slowReader } from './slow-reader.ts';

/** The matrix, in the order in which it runs. */
export const FAULTS: readonly Fault[] = [
  sigkillWorker,
  sigkillApi,
  sigstopCopy,
  sigstopCommit,
  redisRestart,
  flush,
  eviction,
  redisGone,
  postgresRestart,
  postgresGone,
  sessionsKilled,
  poolExhausted,
  halfOpenPostgres,
  halfOpenRedis,
  publisherCut,
  slowReader,
  clockJump,
];
