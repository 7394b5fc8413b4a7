import { describe, expect, it } from 'vitest';
import { createDispatch } from '../../src/events/dispatch.ts';
import { createNotificationStream } from '../../src/events/notification-stream.ts';
import { noTrouble } from '../../src/events/stats.ts';
import { encodeMessage, encodePayload } from '../../src/events/wire.ts';
import type { Closable } from '../../src/lib/pull-iterator.ts';
import { newUuid } from '../../src/domain/ids.ts';
import { silentLog } from '../support/log.ts';

const NOW = new Date('2026-11-24T12:00:00Z');

function setup() {
  const dispatch = createDispatch(silentLog, noTrouble());
  const link = { connected: true };
  const bus = {
    publish: () => undefined,
    on: dispatch.on,
    flush: () => Promise.resolve(),
    get connected() {
      return link.connected;
    },
    close: () => Promise.resolve(),
  };
  const reader = { organizationId: newUuid(), recipientId: newUuid() };
  const open = new Set<Closable>();
  const stream = createNotificationStream({ bus, clock: { now: () => NOW }, open }, reader);
  const send = (notificationId: string, organizationId = reader.organizationId): void => {
    const message = encodeMessage('notification', reader.recipientId, { organizationId, notificationId });
    if (message) dispatch.receive(encodePayload([message], false));
  };
  return { dispatch, link, open, stream, send };
}

describe('a stream of notices', () => {
  it('tells those that came since it was read last, of its own organization only', async () => {
    const { stream, send } = setup();
    const first = stream.next();
    const [one, two, three] = [newUuid(), newUuid(), newUuid()];
    send(newUuid(), newUuid());
    send(one);
    expect((await first).value).toEqual({ ids: [one] });
    send(two);
    send(three);
    expect((await stream.next()).value).toEqual({ ids: [two, three] });
  });

  it('tells a moment before the link broke, whatever came before and however long it was broken', async () => {
    const { stream, send, dispatch, link } = setup();
    const first = stream.next();
    link.connected = false;
    dispatch.gap();
    const since = new Date(NOW.getTime() - 15_000);
    expect((await first).value).toEqual({ since });
    link.connected = true;
    dispatch.gap();
    send(newUuid());
    expect((await stream.next()).value).toEqual({ since });
  });

  it('keeps a bounded number of ids for a reader that does not read', async () => {
    const { stream, send } = setup();
    const first = stream.next();
    send(newUuid());
    await first;
    for (let n = 0; n < 1_000; n += 1) send(newUuid());
    expect((await stream.next()).value).toHaveProperty('since');
  });

  it('lets go of the bus when it ends, also while it is waited for', async () => {
    const { stream, dispatch, open } = setup();
    const waiting = stream.next();
    expect([dispatch.listeners, open.size]).toEqual([1, 1]);
    await stream.return();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect([dispatch.listeners, open.size]).toEqual([0, 0]);
  });
});
