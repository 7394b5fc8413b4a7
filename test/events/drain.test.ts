import { expect, test } from 'vitest';
import { eventOf, streamsBundle } from './streams-bundle.ts';
import { settle } from './manual-timer.ts';

test('a process that goes away first hands over what was written, and then ends no stream', async () => {
  const { streams, log, timer, jobId } = streamsBundle();
  const stream = streams.events(jobId, 0);
  const first = stream.next();
  await settle();
  // Its hint is still on the way: only the log knows of it.
  log.append(jobId, eventOf(1));
  let isDrained = false;
  const drained = streams.drain(5_000).then(() => (isDrained = true));
  timer.advance(100);
  expect((await first).value).toMatchObject({ seq: 1 });
  await settle();
  expect(isDrained).toBe(false);
  const second = stream.next();
  await drained;
  const late = streams.events(jobId, 0).next();
  expect(await Promise.race([second, late, settle().then(() => 'nothing')])).toBe('nothing');
  streams.close();
  expect(await Promise.all([second, late])).toEqual([
    { done: true, value: undefined },
    { done: true, value: undefined },
  ]);
});

test('a reader that takes nothing holds up the end of the process for the given time only', async () => {
  const { streams, write, jobId, timer } = streamsBundle();
  const stream = streams.events(jobId, 0);
  const first = stream.next();
  write(eventOf(1));
  write(eventOf(2));
  await first;
  const startedAt = performance.now();
  const drained = streams.drain(100);
  timer.advance(100);
  await drained;
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(90);
  streams.close();
});

test('streams of one job that stand at the same event read the log once', async () => {
  const { streams, bus, log, jobId } = streamsBundle();
  const readers = Array.from({ length: 100 }, () => streams.events(jobId, 0));
  const firsts = readers.map((reader) => reader.next());
  await settle();
  expect(log.reads).toBeLessThanOrEqual(2);
  const before = log.reads;
  log.append(jobId, eventOf(1, { message: 'x'.repeat(5_000) }));
  bus.hint(jobId, eventOf(1), false);
  const values = (await Promise.all(firsts)).map(({ value }) => value);
  expect(log.reads - before).toBe(1);
  // One event, so that whoever encodes it does so once.
  expect(new Set(values).size).toBe(1);
  streams.close();
});
