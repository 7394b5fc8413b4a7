import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { stripe } from '../../../src/connectors/stripe.ts';
import { NOW, secondsOf } from '../../support/providers/stripe-connection.ts';

describe('a webhook', () => {
  const SECRET = 'whsec_test';
  const BODY = JSON.stringify({ id: 'evt_1', object: 'event', type: 'charge.refunded', data: {} });
  const SIGNED_AT = secondsOf(NOW);

  function signature(body = BODY, secret = SECRET, signedAt: number = SIGNED_AT): string {
    return createHmac('sha256', secret).update(`${signedAt}.${body}`).digest('hex');
  }

  function verify(header: string | undefined, body = BODY, now = NOW) {
    const headers = { 'stripe-signature': header };
    return stripe.webhook?.verify({ body: Buffer.from(body), headers, secrets: [SECRET], now });
  }

  const header = `t=${SIGNED_AT},v1=${signature()}`;

  test('that Stripe signed tells what to look at', () => {
    expect(verify(header)).toEqual({ id: 'evt_1', entities: ['balance_transactions'] });
  });

  test('of something that moves no money has nothing to look at', () => {
    const body = JSON.stringify({ id: 'evt_2', type: 'customer.created' });
    expect(verify(`t=${SIGNED_AT},v1=${signature(body)}`, body)).toEqual({ id: 'evt_2', entities: [] });
  });

  test('is good with any of its signatures, as while a secret is replaced', () => {
    const old = signature(BODY, 'whsec_old');
    expect(verify(`t=${SIGNED_AT},v1=${old},v1=${signature()},v0=${old}`)).toMatchObject({ id: 'evt_1' });
  });

  test('is good with any of our secrets, as while one is replaced', () => {
    const given = { body: Buffer.from(BODY), headers: { 'stripe-signature': header }, now: NOW };
    expect(stripe.webhook?.verify({ ...given, secrets: ['whsec_new', SECRET] })).toMatchObject({
      id: 'evt_1',
    });
    expect(stripe.webhook?.verify({ ...given, secrets: [] })).toBeNull();
  });

  test('that is sent twice is the same event both times', () => {
    expect(verify(header)?.id).toBe(verify(header, BODY, new Date(NOW.getTime() + 60_000))?.id);
  });

  test.each([
    [300, 'evt_1'],
    [301, undefined],
    [-300, 'evt_1'],
    [-301, undefined],
  ])('that was signed %i s ago is %s', (seconds, id) => {
    expect(verify(header, BODY, new Date(NOW.getTime() + seconds * 1_000))?.id).toBe(id);
  });

  test.each([
    ['without a signature', undefined],
    ['with an empty one', ''],
    ['with one of another secret', `t=${SIGNED_AT},v1=${signature(BODY, 'whsec_other')}`],
    ['with one of another body', `t=${SIGNED_AT},v1=${signature('{}')}`],
    ['with a time that was not signed', `t=${SIGNED_AT + 1},v1=${signature()}`],
    ['without a time', `v1=${signature()}`],
    ['with two times', `t=${SIGNED_AT},t=${SIGNED_AT - 1},v1=${signature()}`],
    ['with no time at all in it', `t=now,v1=${signature()}`],
    ['of an older scheme only', `t=${SIGNED_AT},v0=${signature()}`],
    ['with half a signature', `t=${SIGNED_AT},v1=${signature().slice(0, 32)}`],
    ['with more than a signature', `t=${SIGNED_AT},v1=${signature()}00`],
    ['with letters that are none', `t=${SIGNED_AT},v1=${'é'.repeat(64)}`],
  ])('%s is not Stripe’s', (_, given) => {
    expect(verify(given)).toBeNull();
  });

  test.each(['[]', '{"id": "evt_1"', '{"object": "event"}', ''])('with the body %s is no event', (body) => {
    expect(verify(`t=${SIGNED_AT},v1=${signature(body)}`, body)).toBeNull();
  });

  test('is signed over bytes, not over letters', () => {
    const body = Buffer.concat([Buffer.from(BODY), Buffer.from([0xff])]);
    const hex = createHmac('sha256', SECRET)
      .update(`${SIGNED_AT}.`)
      .update(Buffer.from(body.toString('utf8')))
      .digest('hex');
    const headers = { 'stripe-signature': `t=${SIGNED_AT},v1=${hex}` };
    expect(stripe.webhook?.verify({ body, headers, secrets: [SECRET], now: NOW })).toBeNull();
  });
});
