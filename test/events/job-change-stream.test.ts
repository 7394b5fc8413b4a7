import { describe, expect, test } from 'vitest';
import { settle } from './manual-timer.ts';
import { drain, eventOf, streamsBundle, terminalOf, type StreamsBundle } from './streams-bundle.ts';

/** A stream that has given its first value, and a job that has one event. */
async function started(): Promise<
  StreamsBundle & { stream: AsyncIterator<{ settled: boolean }, undefined> }
> {
  const bundle = streamsBundle();
  bundle.write(eventOf(1));
  const stream = bundle.streams.changes(bundle.jobId);
  const first = stream.next();
  bundle.timer.advance(0);
  expect((await first).value).toEqual({ settled: false });
  await settle();
  return { ...bundle, stream };
}

describe("a stream of a job's changes", () => {
  test('gives ten values a second at most, however often the job changes, and the last one', async () => {
    const { stream, write, timer } = await started();
    const times: number[] = [];
    const reading = (async () => {
      for (let next = await stream.next(); !next.done; next = await stream.next()) times.push(timer.now());
    })();
    for (let seq = 2; seq <= 1_000; seq += 1) {
      write(eventOf(seq));
      timer.advance(1);
      if (seq % 20 === 0) await settle();
    }
    write(terminalOf(1_001));
    for (let turn = 0; turn < 5; turn += 1) {
      timer.advance(100);
      await settle();
    }
    await reading;
    expect(times.length).toBeGreaterThanOrEqual(9);
    expect(times.length).toBeLessThanOrEqual(11);
  });

  test('ends with a value that says that the job is settled', async () => {
    const { stream, write, timer } = await started();
    write(eventOf(2));
    write(terminalOf(3));
    expect(await drain(stream, timer)).toEqual([{ settled: true }]);
  });

  test('gives one value and ends for a job that was settled before', async () => {
    const { streams, write, jobId, timer } = streamsBundle();
    write(terminalOf(1));
    expect(await drain(streams.changes(jobId), timer)).toEqual([{ settled: true }]);
  });

  test('ends empty for a job that does not exist', async () => {
    const { streams, timer } = streamsBundle();
    expect(await drain(streams.changes('0193b2a0-0000-7000-8000-000000000000'), timer)).toEqual([]);
  });

  test('finds a change whose hint was lost, and one that was never numbered, within two seconds', async () => {
    const { stream, log, jobId, timer } = await started();
    const lost = stream.next();
    log.append(jobId, eventOf(2));
    timer.advance(2_000);
    expect((await lost).value).toEqual({ settled: false });
    const unnumbered = stream.next();
    await settle();
    log.revisions.set(jobId, 'progress past the limit of the log');
    timer.advance(2_000);
    expect((await unnumbered).value).toEqual({ settled: false });
  });

  test('says nothing while nothing changes', async () => {
    const { stream, timer, write } = await started();
    write(eventOf(2));
    timer.advance(100);
    await stream.next();
    let told = false;
    void stream.next().then(() => (told = true));
    for (let turn = 0; turn < 10; turn += 1) {
      timer.advance(1_000);
      await settle();
    }
    expect(told).toBe(false);
  });

  test('lets go at return, also while next is pending', async () => {
    const { stream, bus, timer } = await started();
    const waiting = stream.next();
    await stream.return?.();
    expect((await waiting).done).toBe(true);
    expect(bus.dispatch.listeners).toBe(0);
    expect(timer.size).toBe(0);
  });
});
