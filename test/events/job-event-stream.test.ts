import { describe, expect, test } from 'vitest';
import { PAGE_SIZE } from '../../src/events/log-pages.ts';
import { drain, eventOf, streamsBundle, terminalOf } from './streams-bundle.ts';
import { settle } from './manual-timer.ts';

const seqs = (events: readonly { seq: number }[]): number[] => events.map(({ seq }) => seq);
const upTo = (last: number, first = 1): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

describe("a stream of a job's events", () => {
  test('gives what the log holds, then what happens, and ends after the event that settles the job', async () => {
    const { streams, log, jobId, write, timer } = streamsBundle();
    upTo(3).forEach((seq) => log.append(jobId, eventOf(seq)));
    const stream = streams.events(jobId, 0);
    for (const seq of upTo(3)) expect((await stream.next()).value?.seq).toBe(seq);
    const waiting = stream.next();
    write(eventOf(4));
    expect((await waiting).value).toEqual(eventOf(4));
    write(terminalOf(5));
    expect(seqs(await drain(stream, timer))).toEqual([5]);
    expect(streams.open).toBe(0);
  });

  test('sends an event that is next in line without reading the log', async () => {
    const { streams, log, jobId, write } = streamsBundle();
    write(eventOf(1));
    const stream = streams.events(jobId, 0);
    await stream.next();
    await settle();
    const waiting = stream.next();
    const reads = log.reads;
    write(eventOf(2));
    expect((await waiting).value?.seq).toBe(2);
    expect(log.reads).toBe(reads);
  });

  test('begins after `after`, also when the reader had the last event already', async () => {
    const { streams, jobId, write, timer } = streamsBundle();
    upTo(9).forEach((seq) => write(eventOf(seq)));
    write(terminalOf(10));
    expect(seqs(await drain(streams.events(jobId, 7), timer))).toEqual([8, 9, 10]);
    expect(await drain(streams.events(jobId, 10), timer)).toEqual([]);
    expect(await drain(streams.events(jobId, 1_000), timer)).toEqual([]);
  });

  test('ends when a job settles before the seq that the reader asked for', async () => {
    const { streams, jobId, write, timer } = streamsBundle();
    write(eventOf(1));
    const stream = streams.events(jobId, 50);
    const waiting = stream.next();
    await settle();
    write(terminalOf(2));
    await settle();
    timer.advance(100);
    expect((await waiting).done).toBe(true);
  });

  test('ends empty for a job that does not exist', async () => {
    const { streams, timer } = streamsBundle();
    expect(await drain(streams.events('0193b2a0-0000-7000-8000-000000000000', 0), timer)).toEqual([]);
  });

  test('finds a lost hint within two seconds', async () => {
    const { streams, log, jobId, write, timer } = streamsBundle();
    write(eventOf(1));
    const stream = streams.events(jobId, 0);
    await stream.next();
    const waiting = stream.next();
    await settle();
    log.append(jobId, eventOf(2));
    timer.advance(2_000);
    expect((await waiting).value?.seq).toBe(2);
  });

  test('reads the log for an event that was too large to travel', async () => {
    const { streams, log, bus, jobId, write } = streamsBundle();
    write(eventOf(1));
    const stream = streams.events(jobId, 0);
    await stream.next();
    const waiting = stream.next();
    await settle();
    const large = eventOf(2, { message: 'x'.repeat(5_000) });
    log.append(jobId, large);
    bus.hint(jobId, large);
    expect((await waiting).value).toEqual(large);
  });

  test('reads again at once what was hinted at while it was reading', async () => {
    const { streams, log, jobId, write } = streamsBundle();
    write(eventOf(1));
    const held: (() => void)[] = [];
    const open = log.gate;
    log.gate = (answer) => {
      const seen = answer();
      return new Promise((resolve) => held.push(() => resolve(seen)));
    };
    const stream = streams.events(jobId, 0);
    const first = stream.next();
    await settle();
    write(eventOf(2));
    log.gate = open;
    held.forEach((answer) => answer());
    expect((await first).value?.seq).toBe(1);
    expect((await stream.next()).value?.seq).toBe(2);
  });

  test('asks once for all watched jobs when the bus reports a gap', async () => {
    const { streams, log, bus, timer } = streamsBundle();
    const jobIds = upTo(100).map((n) => `0193b2a0-0000-7000-8000-${String(n).padStart(12, '0')}`);
    jobIds.forEach((jobId) => log.append(jobId, eventOf(1)));
    const open = jobIds.map((jobId) => streams.events(jobId, 0));
    await Promise.all(open.map((stream) => stream.next()));
    const waiting = open.map((stream) => stream.next());
    await settle();
    jobIds.forEach((jobId) => log.append(jobId, eventOf(2)));
    const { headReads } = log;
    bus.dispatch.gap();
    timer.advance(60);
    await Promise.all(waiting);
    expect(log.headReads).toBe(headReads + 1);
  });

  test('costs a paused reader bounded memory and loses nothing', async () => {
    const { streams, log, jobId, write, timer } = streamsBundle();
    write(eventOf(1));
    const stream = streams.events(jobId, 0);
    await stream.next();
    await settle();
    const { reads } = log;
    upTo(5_000, 2).forEach((seq) => write(eventOf(seq)));
    await settle();
    expect(log.reads).toBe(reads);
    write(terminalOf(5_001));
    expect(seqs(await drain(stream, timer))).toEqual(upTo(5_001, 2));
    // 64 came straight from the bus, the rest in pages.
    expect(log.reads - reads).toBeLessThanOrEqual(5_000 / PAGE_SIZE + 2);
  });

  test('goes on after the database was away for half a minute', async () => {
    const { streams, log, jobId, write, timer } = streamsBundle();
    write(eventOf(1));
    const stream = streams.events(jobId, 0);
    const open = log.gate;
    log.gate = () => Promise.reject(new Error('connection refused'));
    const waiting = stream.next();
    for (let second = 0; second < 30; second += 1) {
      await settle();
      timer.advance(1_000);
    }
    log.gate = open;
    for (let second = 0; second < 10; second += 1) {
      await settle();
      timer.advance(1_000);
    }
    expect((await waiting).value?.seq).toBe(1);
  });

  test('ends with an error when the database is away for more than a minute', async () => {
    const { streams, log, jobId, timer, bus } = streamsBundle();
    log.gate = () => Promise.reject(new Error('connection refused'));
    const stream = streams.events(jobId, 0);
    const failed = expect(stream.next()).rejects.toThrow('the log of the job could not be read');
    for (let second = 0; second < 80; second += 1) {
      await settle();
      timer.advance(1_000);
    }
    await failed;
    expect((await stream.next()).done).toBe(true);
    expect(bus.dispatch.listeners).toBe(0);
  });

  test('lets go of everything at return, also while a read waits', async () => {
    const { streams, jobId, bus, timer, log } = streamsBundle();
    const open = upTo(1_000).map(() => streams.events(jobId, 0));
    const waiting = open.map((stream) => stream.next());
    await settle();
    expect(bus.dispatch.listeners).toBe(1);
    for (const stream of open) await stream.return?.();
    expect((await Promise.all(waiting)).every(({ done }) => done)).toBe(true);
    expect(bus.dispatch.listeners).toBe(0);
    expect(streams.open).toBe(0);
    await settle();
    const { reads, headReads } = log;
    timer.advance(10_000);
    await settle();
    expect([log.reads, log.headReads]).toEqual([reads, headReads]);
    expect(timer.size).toBe(0);
  });

  test('costs nothing before it is read', () => {
    const { streams, jobId, bus } = streamsBundle();
    streams.events(jobId, 0);
    streams.changes(jobId);
    expect(bus.dispatch.listeners).toBe(0);
  });

  test('ends at close', async () => {
    const { streams, jobId, bus } = streamsBundle();
    const waiting = streams.events(jobId, 0).next();
    await settle();
    streams.close();
    expect((await waiting).done).toBe(true);
    expect((await streams.events(jobId, 0).next()).done).toBe(true);
    expect(bus.dispatch.listeners).toBe(0);
  });
});
