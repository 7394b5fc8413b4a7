import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { BusAdapter } from '../../src/events/adapter.ts';
import { EVERY_KEY, type BusDelivery, type TopicMessage } from '../../src/events/bus.ts';
import { waitFor } from '../support/wait.ts';
import { startFaultyProxy } from './faulty-proxy.ts';

/** What an adapter brings, so that the suite can open buses and break what is behind them. */
export interface BusHarness {
  /** Of the broker, with a host and a port */
  readonly url: string;
  /** @param url by another way than the broker's own */
  open(url?: string): Promise<BusAdapter>;
  /** Hands the broker a payload that no bus made. */
  publishRaw(payload: string): Promise<void>;
  /** Makes the broker end the connections of all buses. */
  killConnections(): Promise<void>;
  /** Connections of all buses that the broker sees */
  connections(): Promise<number>;
  close(): Promise<void>;
}

const organizationId = '01890a5d-ac96-774b-bcce-b302099a8057';

/** Everything that a bus heard on a topic, in its order. */
class Ear {
  readonly heard: BusDelivery<'jobEvent'>[] = [];
  readonly stop: () => void;

  constructor(bus: BusAdapter, key: string) {
    this.stop = bus.on('jobEvent', key, (delivery) => this.heard.push(delivery));
  }
  get seqs(): number[] {
    return this.messages.map(({ seq }) => seq);
  }
  get messages(): TopicMessage<'jobEvent'>[] {
    return this.heard.flatMap((delivery) => (delivery.type === 'message' ? [delivery.message] : []));
  }
  get gaps(): number {
    return this.heard.filter(({ type }) => type === 'gap').length;
  }
}

function eventMessage(seq: number, message: string | null = null): TopicMessage<'jobEvent'> {
  const at = new Date(1_700_000_000_000 + seq).toISOString();
  const rest = { progressPercent: 50, message, level: null, errorCode: null };
  return { organizationId, seq, event: { at, type: 'progress', attempt: 1, status: 'running', ...rest } };
}

/** Publishes until it is heard: what was published while a link was away is lost by right. */
async function heardAgain(bus: BusAdapter, ear: Ear, key: string, seq: number): Promise<void> {
  await waitFor(() => {
    bus.publish('jobEvent', key, eventMessage(seq));
    return ear.seqs.includes(seq);
  });
}

export function eventBusConformance(name: string, createHarness: () => Promise<BusHarness>): void {
  describe(`the event bus on ${name}`, () => {
    const withBuses = async (
      count: number,
      run: (buses: readonly BusAdapter[], harness: BusHarness) => Promise<void>,
    ): Promise<void> => {
      const harness = await createHarness();
      const buses = await Promise.all(Array.from({ length: count }, () => harness.open()));
      try {
        await run(buses, harness);
      } finally {
        await Promise.all(buses.map((bus) => bus.close()));
        await harness.close();
      }
    };

    test('brings messages whole and in order to every process, the publisher too', () =>
      withBuses(2, async ([one, two]) => {
        if (!one || !two) throw new Error('expected two buses');
        const key = randomUUID();
        const ears = [new Ear(one, key), new Ear(two, key), new Ear(two, key), new Ear(two, EVERY_KEY)];
        const other = new Ear(two, randomUUID());
        const seqs = Array.from({ length: 2_000 }, (_, index) => index + 1);
        seqs.forEach((seq) => one.publish('jobEvent', key, eventMessage(seq, `line ${seq} "ä\n€`)));
        await waitFor(() => ears.every((ear) => ear.seqs.length >= seqs.length));
        for (const ear of ears) expect(ear.seqs).toEqual(seqs);
        expect(ears[1]?.messages[41]).toEqual(eventMessage(42, 'line 42 "ä\n€'));
        expect(other.heard).toEqual([]);
      }));

    test('keeps topics apart', () =>
      withBuses(2, async ([one, two]) => {
        if (!one || !two) throw new Error('expected two buses');
        const key = randomUUID();
        const ear = new Ear(two, key);
        const cancels: unknown[] = [];
        two.on('jobCancel', key, (delivery) => cancels.push(delivery));
        one.publish('jobEvent', key, eventMessage(1));
        one.publish('jobCancel', key, { delivery: 3 });
        await waitFor(() => cancels.length > 0);
        expect(cancels).toEqual([{ type: 'message', key, message: { delivery: 3 } }]);
        expect(ear.seqs).toEqual([1]);
      }));

    test("makes an event of a job heard as a change of its organization's jobs", () =>
      withBuses(2, async ([one, two]) => {
        if (!one || !two) throw new Error('expected two buses');
        const [evented, changed] = [randomUUID(), randomUUID()];
        const heard: unknown[] = [];
        two.on('jobChange', organizationId, (delivery) => heard.push(delivery));
        two.on('jobChange', randomUUID(), (delivery) => heard.push(delivery));
        one.publish('jobEvent', evented, eventMessage(1));
        one.publish('jobChange', organizationId, { jobId: changed });
        await waitFor(() => heard.length >= 2);
        expect(heard).toEqual(
          [evented, changed].map((jobId) => ({ type: 'message', key: organizationId, message: { jobId } })),
        );
      }));

    test('stops at unsubscribe, which may be called twice', () =>
      withBuses(1, async ([bus]) => {
        if (!bus) throw new Error('expected a bus');
        const key = randomUUID();
        const [stopped, other] = [new Ear(bus, key), new Ear(bus, key)];
        stopped.stop();
        stopped.stop();
        bus.publish('jobEvent', key, eventMessage(1));
        await waitFor(() => other.seqs.length > 0);
        expect(stopped.heard).toEqual([]);
        other.stop();
        expect(bus.listeners).toBe(0);
      }));

    test('brings an event too large to travel as id and seq', () =>
      withBuses(2, async ([one, two]) => {
        if (!one || !two) throw new Error('expected two buses');
        const key = randomUUID();
        const ear = new Ear(two, key);
        one.publish('jobEvent', key, eventMessage(1, 'x'.repeat(100_000)));
        one.publish('jobEvent', key, eventMessage(2));
        await waitFor(() => ear.seqs.length >= 2);
        expect(ear.messages).toEqual([{ organizationId, seq: 1 }, eventMessage(2)]);
      }));

    test('counts and drops what it cannot read, and reads on', () =>
      withBuses(2, async ([one, two], harness) => {
        if (!one || !two) throw new Error('expected two buses');
        const key = randomUUID();
        const ear = new Ear(two, key);
        const bad = [
          'no JSON',
          '{"m":1}',
          `{"m":[["jobEvent","${key}",{"seq":"one"}]]}`,
          '{"m":[["noTopic","k",{}],7]}',
        ];
        for (const payload of bad) await harness.publishRaw(payload);
        one.publish('jobEvent', key, eventMessage(1));
        await waitFor(() => ear.seqs.length > 0);
        expect(ear.heard).toHaveLength(1);
        expect(two.stats.malformed).toBe(5);
      }));

    test('calls the other listeners when one throws', () =>
      withBuses(1, async ([bus]) => {
        if (!bus) throw new Error('expected a bus');
        const key = randomUUID();
        bus.on('jobEvent', key, () => {
          throw new Error('a defect');
        });
        const ear = new Ear(bus, key);
        bus.publish('jobEvent', key, eventMessage(1));
        await waitFor(() => ear.seqs.length > 0);
        expect(bus.stats.listenerErrors).toBe(1);
      }));

    test('tells every listener of a gap when the broker ends its connections, and again when it listens anew', () =>
      withBuses(2, async ([one, two], harness) => {
        if (!one || !two) throw new Error('expected two buses');
        const key = randomUUID();
        const ears = [new Ear(two, key), new Ear(two, EVERY_KEY)];
        await heardAgain(one, ears[0] ?? new Ear(two, key), key, 1);
        await harness.killConnections();
        await waitFor(() => ears.every((ear) => ear.gaps >= 2));
        await waitFor(() => one.connected && two.connected);
        for (const ear of ears) await heardAgain(one, ear, key, 2);
      }));

    test('never throws and never waits while the broker is down, and works again when it is back', async () => {
      const harness = await createHarness();
      const proxy = await startFaultyProxy(harness.url);
      const bus = await harness.open(proxy.url);
      try {
        const key = randomUUID();
        const ear = new Ear(bus, key);
        await heardAgain(bus, ear, key, 1);
        proxy.down();
        await waitFor(() => !bus.connected && ear.gaps >= 1);
        for (let seq = 2; seq < 20_000; seq += 1) bus.publish('jobEvent', key, eventMessage(seq));
        await bus.flush();
        expect(bus.stats.failed).toBeGreaterThan(0);
        expect(bus.stats.dropped).toBeGreaterThan(5_000);
        proxy.up();
        await waitFor(() => bus.connected);
        await heardAgain(bus, ear, key, 30_000);
        expect(ear.gaps).toBeGreaterThanOrEqual(2);
      } finally {
        await bus.close();
        await proxy.close();
        await harness.close();
      }
    });

    test('notices a link that died without a word', async () => {
      const harness = await createHarness();
      const proxy = await startFaultyProxy(harness.url);
      const bus = await harness.open(proxy.url);
      try {
        const key = randomUUID();
        const ear = new Ear(bus, key);
        await heardAgain(bus, ear, key, 1);
        proxy.freeze();
        await waitFor(() => ear.gaps >= 1, { timeoutMs: 15_000 });
        await waitFor(() => bus.connected, { timeoutMs: 15_000 });
        await heardAgain(bus, ear, key, 2);
      } finally {
        await bus.close();
        await proxy.close();
        await harness.close();
      }
    });

    test('opens without its broker, and listens once it is there', async () => {
      const harness = await createHarness();
      const proxy = await startFaultyProxy(harness.url);
      proxy.down();
      const bus = await harness.open(proxy.url);
      try {
        expect(bus.connected).toBe(false);
        const ear = new Ear(bus, 'key');
        proxy.up();
        await waitFor(() => bus.connected);
        expect(ear.gaps).toBeGreaterThan(0);
        await heardAgain(bus, ear, 'key', 1);
      } finally {
        await bus.close();
        await proxy.close();
        await harness.close();
      }
    });

    test('hands over what was published before it closes, and leaves no connection', async () => {
      const harness = await createHarness();
      const [one, two] = await Promise.all([harness.open(), harness.open()]);
      const key = randomUUID();
      const ear = new Ear(two, key);
      one.publish('jobEvent', key, eventMessage(1));
      await one.close();
      await one.close();
      one.publish('jobEvent', key, eventMessage(2));
      await waitFor(() => ear.seqs.length > 0);
      await two.close();
      expect(two.listeners).toBe(0);
      await waitFor(async () => (await harness.connections()) === 0);
      await harness.close();
      expect(ear.seqs).toEqual([1]);
    });

    test('takes two connections of the broker and no more', () =>
      withBuses(1, async ([bus], harness) => {
        if (!bus) throw new Error('expected a bus');
        const ear = new Ear(bus, 'key');
        await Promise.all(Array.from({ length: 50 }, (_, index) => heardAgain(bus, ear, 'key', index + 1)));
        expect(await harness.connections()).toBe(2);
      }));
  });
}
