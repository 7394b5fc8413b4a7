import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import type { JobEvent } from '../../src/domain/job.ts';
import { isTerminal } from '../../src/domain/job-event.ts';
import { createDispatch, type Dispatch } from '../../src/events/dispatch.ts';
import type { EventBus } from '../../src/events/bus.ts';
import type { JobHead, JobLogReader } from '../../src/events/job-log-reader.ts';
import { createJobStreams, type JobStreams } from '../../src/events/job-streams.ts';
import { noTrouble } from '../../src/events/stats.ts';
import { encodeMessage, encodePayload } from '../../src/events/wire.ts';
import { ManualTimer, settle } from './manual-timer.ts';

export const organizationId = '01890a5d-ac96-774b-bcce-b302099a8057';
const silent = pino({ level: 'silent' });

/** The receiving half of a bus, with no broker behind it: the test says what arrives. */
export class ScriptedBus implements EventBus {
  readonly dispatch: Dispatch = createDispatch(silent, noTrouble());
  connected = true;

  publish(): void {
    throw new Error('a stream must not publish');
  }
  readonly on: EventBus['on'] = (topic, key, listener) => this.dispatch.on(topic, key, listener);
  flush(): Promise<void> {
    return Promise.resolve();
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
  /** A hint arrives; `whole` false: the event was too large to travel. */
  hint(jobId: string, { seq, ...event }: JobEvent, whole = true): void {
    const carried = whole ? { event: { ...event, at: event.at.toISOString() } } : {};
    const message = encodeMessage('jobEvent', jobId, { organizationId, seq, ...carried });
    if (message) this.dispatch.receive(encodePayload([message], false));
  }
  jobChange(jobId: string): void {
    const message = encodeMessage('jobChange', organizationId, { jobId });
    if (message) this.dispatch.receive(encodePayload([message], false));
  }
}

/** A log in memory that can be held back or made to fail. */
export class ScriptedLog implements JobLogReader {
  readonly jobs = new Map<string, JobEvent[]>();
  readonly revisions = new Map<string, string>();
  reads = 0;
  headReads = 0;
  /** Set to stand between a read and its answer */
  gate: <T>(answer: () => T) => Promise<T> = (answer) => Promise.resolve(answer());

  append(jobId: string, event: JobEvent): void {
    this.jobs.set(jobId, [...this.eventsOf(jobId), event]);
  }
  eventsOf(jobId: string): JobEvent[] {
    return this.jobs.get(jobId) ?? [];
  }
  readEvents(jobId: string, after: number, limit: number): Promise<readonly JobEvent[]> {
    this.reads += 1;
    return this.gate(() => this.eventsOf(jobId).slice(after, after + limit));
  }
  lastSeqs(jobIds: readonly string[]): Promise<ReadonlyMap<string, JobHead>> {
    this.headReads += 1;
    return this.gate(() => new Map(jobIds.flatMap((id) => this.#headOf(id))));
  }
  #headOf(jobId: string): [string, JobHead][] {
    const events = this.jobs.get(jobId);
    if (!events) return [];
    const settled = events.some(isTerminal);
    return [
      [
        jobId,
        { lastSeq: events.length, settled, revision: this.revisions.get(jobId) ?? String(events.length) },
      ],
    ];
  }
}

export function eventOf(seq: number, changes: Partial<JobEvent> = {}): JobEvent {
  return {
    seq,
    at: new Date(1_700_000_000_000 + seq),
    type: 'progress',
    attempt: 1,
    status: 'running',
    progressPercent: seq % 100,
    message: null,
    level: null,
    errorCode: null,
    ...changes,
  };
}

export function terminalOf(seq: number): JobEvent {
  return eventOf(seq, { type: 'status', status: 'completed', progressPercent: 100 });
}

export interface StreamsBundle {
  readonly bus: ScriptedBus;
  readonly log: ScriptedLog;
  readonly timer: ManualTimer;
  readonly streams: JobStreams;
  readonly clock: { now: () => Date };
  readonly jobId: string;
  /** Writes an event to the log and lets its hint arrive */
  readonly write: (event: JobEvent) => void;
}

export function streamsBundle(): StreamsBundle {
  const [bus, log, timer, jobId] = [new ScriptedBus(), new ScriptedLog(), new ManualTimer(), randomUUID()];
  const clock = { now: () => new Date(1_700_000_000_000 + timer.now()) };
  const streams = createJobStreams({ bus, log, logger: silent, timer, clock });
  log.jobs.set(jobId, []);
  const write = (event: JobEvent): void => {
    log.append(jobId, event);
    bus.hint(jobId, event);
  };
  return { bus, log, timer, streams, clock, jobId, write };
}

/** What is left of a stream, while time passes whenever it waits; at most `limit` values. */
export async function drain<T>(
  stream: AsyncIterator<T, undefined>,
  timer: ManualTimer,
  limit = 20_000,
): Promise<T[]> {
  const values: T[] = [];
  while (values.length < limit) {
    const result = await nextWithin(stream, timer);
    if (result.done) return values;
    values.push(result.value);
  }
  throw new Error(`more than ${limit} values`);
}

async function nextWithin<T>(
  stream: AsyncIterator<T, undefined>,
  timer: ManualTimer,
): Promise<IteratorResult<T, undefined>> {
  const next = stream.next();
  for (let turns = 0; turns < 200; turns += 1) {
    const result = await Promise.race([next, settle()]);
    if (result) return result;
    timer.advance(500);
  }
  throw new Error('the stream gave nothing for 100 s of its time');
}
