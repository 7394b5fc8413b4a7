import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JobEvent } from '../../src/domain/job.ts';
import { settle } from './manual-timer.ts';
import { drain, eventOf, streamsBundle, terminalOf, type StreamsBundle } from './streams-bundle.ts';

type Step =
  | { readonly type: 'write'; readonly hint: 'kept' | 'lost' | 'doubled' | 'late' | 'too large' }
  | { readonly type: 'late hints'; readonly reversed: boolean }
  | { readonly type: 'gap' }
  | { readonly type: 'time'; readonly ms: number }
  | { readonly type: 'next' }
  | { readonly type: 'read begins' | 'read answers' | 'read fails' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('write'),
      hint: fc.constantFrom('kept', 'lost', 'doubled', 'late', 'too large'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('late hints'), reversed: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('gap') }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('time'), ms: fc.constantFrom(10, 60, 500, 2_500) }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('next') }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constantFrom('read begins', 'read answers', 'read fails') }) },
);

/** Holds every read of the log: when it looks, and when and whether its answer arrives, are steps of their own. */
class HeldReads {
  #held: { look: () => void; answer: () => void; fail: () => void }[] = [];

  readonly gate = <T>(answer: () => T): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      let seen: { readonly value: T } | null = null;
      const look = (): { readonly value: T } => (seen ??= { value: answer() });
      this.#held.push({
        look,
        answer: () => resolve(look().value),
        fail: () => reject(new Error('connection lost')),
      });
    });

  look(): void {
    this.#held[0]?.look();
  }
  answer(): void {
    this.#held.shift()?.answer();
  }
  fail(): void {
    this.#held.shift()?.fail();
  }
  answerAll(): void {
    while (this.#held.length > 0) this.answer();
  }
}

class Run {
  readonly bundle: StreamsBundle = streamsBundle();
  readonly #held = new HeldReads();
  readonly #stream = this.bundle.streams.events(this.bundle.jobId, 0);
  readonly #pulled: Promise<IteratorResult<JobEvent, undefined>>[] = [];
  #late: JobEvent[] = [];
  #written = 0;

  constructor() {
    this.bundle.log.gate = this.#held.gate;
  }

  async take(taken: Step): Promise<void> {
    const { bus, timer } = this.bundle;
    if (taken.type === 'write') this.#write(taken.hint);
    else if (taken.type === 'late hints') this.#deliverLate(taken.reversed);
    else if (taken.type === 'gap') bus.dispatch.gap();
    else if (taken.type === 'time') timer.advance(taken.ms);
    else if (taken.type === 'next') this.#pulled.push(this.#stream.next());
    else if (taken.type === 'read begins') this.#held.look();
    else if (taken.type === 'read answers') this.#held.answer();
    else this.#held.fail();
    await settle();
  }

  /** The last event, whose hint is lost; the bus and the log are well again. @returns all that the reader got */
  async end(): Promise<number[]> {
    const { log, jobId, timer } = this.bundle;
    this.#written += 1;
    log.append(jobId, terminalOf(this.#written));
    this.#held.answerAll();
    log.gate = (answer) => Promise.resolve(answer());
    const rest = await drain(this.#stream, timer);
    const first = await Promise.all(this.#pulled);
    return [...first.flatMap((result) => (result.done ? [] : [result.value])), ...rest].map(({ seq }) => seq);
  }

  get written(): number {
    return this.#written;
  }

  #write(hint: Extract<Step, { type: 'write' }>['hint']): void {
    const { bus, log, jobId } = this.bundle;
    this.#written += 1;
    const event = eventOf(this.#written);
    log.append(jobId, event);
    if (hint === 'late') this.#late.push(event);
    if (hint === 'kept' || hint === 'doubled') bus.hint(jobId, event);
    if (hint === 'doubled') bus.hint(jobId, event);
    if (hint === 'too large') bus.hint(jobId, event, false);
  }

  #deliverLate(reversed: boolean): void {
    const { bus, jobId } = this.bundle;
    const late = reversed ? this.#late.reverse() : this.#late;
    this.#late = [];
    late.forEach((event) => bus.hint(jobId, event));
  }
}

test(
  'whatever happens to hints, links and reads, a reader gets 1 to n in order',
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), async (steps) => {
        const run = new Run();
        for (const taken of steps) await run.take(taken);
        const got = await run.end();
        expect(got).toEqual(Array.from({ length: run.written }, (_, index) => index + 1));
        expect(run.bundle.bus.dispatch.listeners).toBe(0);
      }),
      { numRuns: 300 },
    );
  },
);
