import type { Sql } from './db.ts';
import { LIVE_SQL } from './job-moves.ts';

/** What jobs of one kind, with one and the same input, have come to. */
export interface JobAnswers {
  /** The newest that completed */
  readonly good: {
    readonly result: unknown;
    /** What it tells was true when it began */
    readonly startedAt: Date;
    readonly completedAt: Date;
  } | null;
  /** The newest that failed or was cancelled, if that was later */
  readonly bad: {
    readonly status: string;
    readonly message: string | null;
    readonly completedAt: Date;
  } | null;
  /** Uuid of the one that lives */
  readonly liveJobId: string | null;
}

export interface AnswersRequest {
  readonly organizationId: string;
  readonly kind: string;
  readonly inputHash: Buffer;
  readonly uniqueKey: string;
}

/** Of those that did not complete, so many are looked through for the input: there is no index for what is rare. */
const BAD_MAX = 200;

const bad = (status: string): string => `
  (SELECT status, error_message, completed_at, input_hash FROM jobs
   WHERE organization_id = $1 AND kind = $2 AND NOT internal AND status = '${status}'
   ORDER BY id DESC NULLS LAST LIMIT ${BAD_MAX})`;

interface AnswerRow {
  result: unknown;
  started_at: Date | null;
  completed_at: Date | null;
  bad_status: string | null;
  bad_message: string | null;
  bad_at: Date | null;
  live: string | null;
}

const ANSWERS = `
  WITH good AS (
    SELECT result, coalesce(started_at, created_at) AS started_at, completed_at FROM jobs
    WHERE organization_id = $1 AND kind = $2 AND input_hash = $3 AND status IN ('completed', 'completed_with_warnings')
    ORDER BY completed_at DESC LIMIT 1
  ), bad AS (
    SELECT status::text, error_message, completed_at FROM (${bad('failed')} UNION ALL ${bad('cancelled')}) AS bad
    WHERE input_hash = $3 AND completed_at > coalesce((SELECT completed_at FROM good), '-infinity')
    ORDER BY completed_at DESC LIMIT 1
  )
  SELECT good.*, bad.status AS bad_status, bad.error_message AS bad_message, bad.completed_at AS bad_at,
         (SELECT id FROM jobs WHERE organization_id = $1 AND kind = $2 AND unique_key = $4 AND status IN ${LIVE_SQL}) AS live
  FROM (SELECT) AS one LEFT JOIN good ON true LEFT JOIN bad ON true`;

/** What there is to answer with, at one moment. */
export async function findAnswers(sql: Sql, request: AnswersRequest): Promise<JobAnswers> {
  const { organizationId, kind, inputHash, uniqueKey } = request;
  const { rows } = await sql.query<AnswerRow>(ANSWERS, [organizationId, kind, inputHash, uniqueKey]);
  const [row] = rows;
  return {
    good:
      row?.started_at && row.completed_at
        ? { result: row.result, startedAt: row.started_at, completedAt: row.completed_at }
        : null,
    bad:
      row?.bad_status && row.bad_at
        ? { status: row.bad_status, message: row.bad_message, completedAt: row.bad_at }
        : null,
    liveJobId: row?.live ?? null,
  };
}
