import type { OpenConnection, Account, Connector } from '../../../src/connectors/connector.ts';
import type { StoredConnection } from '../../../src/repositories/connections.ts';
import type { JobContext } from '../../context.ts';
import type { AnswerTimes } from './answer-times.ts';
import type { RunState } from './run-state.ts';

/** What all of one sync share. */
export interface SyncRun {
  readonly ctx: JobContext;
  readonly stored: StoredConnection;
  readonly connector: Connector;
  readonly connection: OpenConnection;
  readonly account: Account;
  /** The oldest moment that is asked for where nothing was read before */
  readonly from: Date;
  /** What was read before does not count */
  readonly anew: boolean;
  /** Names of what is to be read, in order */
  readonly entities: readonly string[];
  readonly answers: AnswerTimes;
  /** As it was committed last */
  state: RunState;
}

export const titleOf = ({ connector }: SyncRun, entity: string): string =>
  connector.entities[entity]?.title ?? entity;
