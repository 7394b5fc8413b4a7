import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { settle } from './manual-timer.ts';
import { organizationId, streamsBundle } from './streams-bundle.ts';

describe("a stream of changes of an organization's jobs", () => {
  test('names a job once per batch, at most ten batches a second', async () => {
    const { streams, bus, timer } = streamsBundle();
    const [one, two] = [randomUUID(), randomUUID()];
    const stream = streams.organizationChanges(organizationId);
    const first = stream.next();
    bus.jobChange(one);
    expect((await first).value).toEqual({ jobIds: [one] });
    const second = stream.next();
    bus.jobChange(two);
    bus.jobChange(one);
    bus.jobChange(two);
    await settle();
    timer.advance(100);
    expect((await second).value).toEqual({ jobIds: [two, one] });
  });

  test('gives a moment instead of more than a thousand jobs, and the moment covers them', async () => {
    const { streams, bus, timer, clock } = streamsBundle();
    const stream = streams.organizationChanges(organizationId);
    const first = stream.next();
    bus.jobChange(randomUUID());
    await first;
    timer.advance(50);
    const began = clock.now().getTime();
    for (let count = 0; count < 5_000; count += 1) bus.jobChange(randomUUID());
    timer.advance(1_000);
    expect((await stream.next()).value).toEqual({ since: new Date(began - 5_000) });
  });

  test('gives the last good moment after a broken link, and again once the link is back', async () => {
    const { streams, bus, timer, clock } = streamsBundle();
    const stream = streams.organizationChanges(organizationId);
    const first = stream.next();
    timer.advance(60_000);
    const broke = clock.now().getTime();
    bus.connected = false;
    bus.dispatch.gap();
    expect((await first).value).toEqual({ since: new Date(broke - 15_000) });
    timer.advance(30_000);
    bus.connected = true;
    bus.dispatch.gap();
    expect((await stream.next()).value).toEqual({ since: new Date(broke - 15_000) });
    timer.advance(30_000);
    const later = clock.now().getTime();
    bus.dispatch.gap();
    expect((await stream.next()).value).toEqual({ since: new Date(later - 15_000) });
  });

  test('does not hear of other organizations and lets go at return', async () => {
    const { streams, bus } = streamsBundle();
    const stream = streams.organizationChanges(randomUUID());
    let told = false;
    const waiting = stream.next().then((result) => {
      told = !result.done;
    });
    bus.jobChange(randomUUID());
    await settle();
    await stream.return?.();
    await waiting;
    expect(told).toBe(false);
    expect(bus.dispatch.listeners).toBe(0);
  });
});
