import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { Outbox } from '../../src/events/outbox.ts';
import { noTrouble, type BusStats } from '../../src/events/stats.ts';
import { decodePayload, encodeMessage, PAYLOAD_BYTES_MAX, type WireMessage } from '../../src/events/wire.ts';
import { ManualTimer, settle } from './manual-timer.ts';

const log = pino({ level: 'silent' });
const key = '01890a5d-ac96-774b-bcce-b302099a8057';

function cancelOf(delivery: number): WireMessage {
  const message = encodeMessage('jobCancel', key, { delivery });
  if (!message) throw new Error('a small message must travel');
  return message;
}

interface Bundle {
  readonly outbox: Outbox;
  readonly timer: ManualTimer;
  readonly stats: BusStats;
  readonly sent: string[];
  broken: boolean;
}

function setup(messagesMax = 10_000): Bundle {
  const [timer, stats, sent] = [new ManualTimer(), noTrouble(), new Array<string>()];
  const bundle: Bundle = {
    timer,
    stats,
    sent,
    broken: false,
    outbox: new Outbox({
      log,
      stats,
      timer,
      messagesMax,
      send: (payload) => {
        if (bundle.broken) return Promise.reject(new Error('the broker is down'));
        sent.push(payload);
        return Promise.resolve();
      },
    }),
  };
  return bundle;
}

async function pass(timer: ManualTimer, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 5) {
    timer.advance(5);
    await settle();
  }
}

describe('what waits to be published', () => {
  test('goes out in order, many in a payload, one payload every five milliseconds at most', async () => {
    const { outbox, timer, sent } = setup();
    for (let delivery = 0; delivery < 500; delivery += 1) outbox.add(cancelOf(delivery));
    await pass(timer, 10);
    expect(sent.length).toBeLessThanOrEqual(3);
    await pass(timer, 200);
    const deliveries = sent.flatMap((payload) => decodePayload(payload)?.messages ?? []);
    expect(deliveries).toEqual(
      Array.from({ length: 500 }, (_, delivery) => ['jobCancel', key, { delivery }]),
    );
    expect(Math.max(...sent.map((payload) => Buffer.byteLength(payload)))).toBeLessThanOrEqual(
      PAYLOAD_BYTES_MAX,
    );
    expect(sent.length).toBeLessThan(10);
  });

  test('loses the oldest when there is no more room, counts them, and says so with the next payload', async () => {
    const { outbox, timer, sent, stats } = setup(10);
    for (let delivery = 0; delivery < 25; delivery += 1) outbox.add(cancelOf(delivery));
    await pass(timer, 20);
    expect(stats.dropped).toBe(15);
    expect(decodePayload(sent[0] ?? '')?.gap).toBe(true);
    expect(decodePayload(sent[0] ?? '')?.messages).toHaveLength(10);
    outbox.add(cancelOf(99));
    await pass(timer, 20);
    expect(decodePayload(sent[1] ?? '')?.gap).toBe(false);
  });

  test('is lost when the broker refuses it; what comes later still goes out, and says so', async () => {
    const bundle = setup();
    bundle.broken = true;
    bundle.outbox.add(cancelOf(1));
    await pass(bundle.timer, 10);
    expect(bundle.stats).toMatchObject({ failed: 1, dropped: 1 });
    bundle.broken = false;
    bundle.outbox.add(cancelOf(2));
    await pass(bundle.timer, 200);
    expect(bundle.sent.map(decodePayload)).toEqual([
      { gap: true, messages: [['jobCancel', key, { delivery: 2 }]] },
    ]);
  });

  test('does not keep a flush waiting for a broker that is down', async () => {
    const bundle = setup();
    bundle.broken = true;
    bundle.outbox.add(cancelOf(1));
    const flushed = bundle.outbox.flush();
    await pass(bundle.timer, 10);
    await flushed;
    expect(bundle.stats.failed).toBe(1);
  });
});

describe('a message on the wire', () => {
  const event = { at: '2026-01-01T00:00:00.000Z', type: 'log', attempt: 1, status: 'running' } as const;
  const rest = { progressPercent: null, level: 'info', errorCode: null } as const;

  test('travels without its event when it is larger than a kilobyte', () => {
    const small = { organizationId: key, seq: 7, event: { ...event, ...rest, message: 'short' } };
    expect(JSON.parse(encodeMessage('jobEvent', key, small)?.json ?? '')).toEqual(['jobEvent', key, small]);
    const large = { ...small, event: { ...small.event, message: 'ü'.repeat(600) } };
    expect(JSON.parse(encodeMessage('jobEvent', key, large)?.json ?? '')).toEqual([
      'jobEvent',
      key,
      { organizationId: key, seq: 7 },
    ]);
  });

  test('does not travel when nothing can make it small enough', () => {
    expect(encodeMessage('jobCancel', 'k'.repeat(8_000), { delivery: 1 })).toBeNull();
  });
});
