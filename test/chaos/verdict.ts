/** What the API acknowledged: a job that must now exist, complete, with its rows written once. */
export interface AcceptedJob {
  readonly jobId: string;
  /** Rows numbered 1 … n that it has to write */
  readonly rows: number;
}

/** A job as the database has it when all is over. */
export interface FoundJob {
  readonly jobId: string;
  readonly idempotencyKey: string;
  readonly status: string;
  readonly lastSeq: number;
  readonly completedAtMs: number | null;
}

/** Rows in the ledger of effects by one job. */
export interface FoundEffects {
  readonly jobId: string;
  readonly rows: number;
  readonly distinctRows: number;
}

/** What one reader got of a job's events. */
export interface SeenStream {
  readonly jobId: string;
  readonly seqs: readonly number[];
  /** Why it broke; null when it ended by itself */
  readonly error: string | null;
}

/** A promised limit and what was measured. */
export interface Bound {
  readonly name: string;
  readonly value: number;
  readonly limit: number;
  readonly unit: 's' | 'MB';
}

export interface Evidence {
  readonly accepted: readonly AcceptedJob[];
  readonly found: readonly FoundJob[];
  readonly effects: readonly FoundEffects[];
  readonly streams: readonly SeenStream[];
  readonly bounds: readonly Bound[];
  /** When the fault was over */
  readonly endedAtMs: number;
}

export interface Verdict {
  readonly jobs: number;
  readonly lost: number;
  readonly doubled: number;
  readonly streams: number;
  /** Streams with a hole, a double, a wrong order, or no end */
  readonly gaps: number;
  /** From the fault's end until a job was settled again; null: none was */
  readonly backSeconds: number | null;
  /** From the fault's end until the last job was settled */
  readonly settledSeconds: number | null;
  readonly bounds: readonly Bound[];
  /** In words, the first of each sort; empty when all held */
  readonly problems: readonly string[];
}

/** Judges a run by what was promised to its clients. */
export function judge(evidence: Evidence): Verdict {
  const lost = lostJobs(evidence);
  const doubled = doubledJobs(evidence);
  const broken = brokenStreams(evidence);
  const exceeded = evidence.bounds.filter(({ value, limit }) => !(value <= limit));
  const after = evidence.found
    .flatMap(({ completedAtMs }) => (completedAtMs === null ? [] : [completedAtMs]))
    .map((at) => (at - evidence.endedAtMs) / 1_000)
    .filter((seconds) => seconds >= 0);
  return {
    jobs: evidence.accepted.length,
    lost: lost.length,
    doubled: doubled.length,
    streams: evidence.streams.length,
    gaps: broken.length,
    backSeconds: after.length > 0 ? Math.min(...after) : null,
    settledSeconds: after.length > 0 ? Math.max(...after) : null,
    bounds: evidence.bounds,
    problems: [
      ...some('lost', lost),
      ...some('doubled', doubled),
      ...some('stream', broken),
      ...exceeded.map(
        ({ name, value, limit, unit }) => `${name}: ${value.toFixed(1)} ${unit}, at most ${limit}`,
      ),
    ],
  };
}

/** Accepted, and missing, not completed, or completed without all its rows. */
function lostJobs({ accepted, found, effects }: Evidence): string[] {
  const jobs = new Map(found.map((job) => [job.jobId, job]));
  const written = new Map(effects.map((effect) => [effect.jobId, effect.distinctRows]));
  return accepted.flatMap(({ jobId, rows }) => {
    const status = jobs.get(jobId)?.status ?? 'missing';
    const count = written.get(jobId) ?? 0;
    return status === 'completed' && count >= rows
      ? []
      : [`${jobId} is ${status} with ${count} of ${rows} rows`];
  });
}

/** Rows written twice, rows of nobody's, and second jobs for one key. */
function doubledJobs({ accepted, found, effects }: Evidence): string[] {
  const wanted = new Map(accepted.map(({ jobId, rows }) => [jobId, rows]));
  const rows = effects
    .filter((effect) => effect.rows !== effect.distinctRows || effect.rows > (wanted.get(effect.jobId) ?? 0))
    .map((effect) => `${effect.jobId} wrote ${effect.rows} rows, ${effect.distinctRows} of them distinct`);
  const keys = found.map((job) => job.idempotencyKey);
  const second = found
    .filter((job, index) => keys.indexOf(job.idempotencyKey) !== index)
    .map((job) => `${job.jobId} is a second job for the key ${job.idempotencyKey}`);
  return [...rows, ...second];
}

function brokenStreams({ streams, found }: Evidence): string[] {
  const lastSeqs = new Map(found.map((job) => [job.jobId, job.lastSeq]));
  return streams.flatMap(({ jobId, seqs, error }) => {
    const lastSeq = lastSeqs.get(jobId) ?? 0;
    if (error !== null) return [`${jobId} broke after ${seqs.length} of ${lastSeq} events: ${error}`];
    const wrong = seqs.findIndex((seq, index) => seq !== index + 1);
    if (wrong >= 0) return [`${jobId} gave ${seqs[wrong]} in the place of ${wrong + 1}`];
    return seqs.length === lastSeq ? [] : [`${jobId} ended after ${seqs.length} of ${lastSeq} events`];
  });
}

const TOLD_MAX = 3;

function some(what: string, problems: readonly string[]): string[] {
  const more = problems.length > TOLD_MAX ? [`${what}: and ${problems.length - TOLD_MAX} more`] : [];
  return [...problems.slice(0, TOLD_MAX).map((problem) => `${what}: ${problem}`), ...more];
}
