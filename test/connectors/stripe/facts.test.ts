import { describe, expect, test } from 'vitest';
import type { Fact } from '../../../src/domain/facts.ts';
import { dateIn } from '../../../src/domain/period.ts';
import { factsOf, NOW, sales, useStripe } from '../../support/providers/stripe-connection.ts';
import {
  chargeOf,
  disputeOf,
  movement,
  refundOf,
  sale,
  type Movement,
} from '../../support/providers/stripe.ts';

const provider = useStripe();

describe('the facts', () => {
  const AT = '2026-11-20T10:00:00Z';
  const at = new Date(AT);

  async function factsFrom(...movements: readonly Movement[]): Promise<Fact[]> {
    provider.mock.add(...movements);
    return factsOf(await provider.pullAll());
  }

  test('a charge is an order, before fees, in the currency that it came into the balance in', async () => {
    const source = {
      ...chargeOf({
        id: 'ch_7',
        at: AT,
        amount: 1_500,
        currency: 'usd',
        transaction: 'txn_7',
        customer: 'cus_1',
      }),
    };
    const facts = await factsFrom(
      movement('charge', { id: 'txn_7', at: AT, amount: 1_299, type: 'charge', source }),
    );
    expect(facts).toEqual([
      {
        type: 'order',
        key: 'ch_7',
        at,
        currency: 'EUR',
        gross: '12.99',
        channel: null,
        customerKey: 'cus_1',
      },
    ]);
  });

  test('a payment of a guest is an order of nobody known', async () => {
    const given = { at: AT, amount: 500, transaction: 'txn_8', customer: null };
    const source = chargeOf({ id: 'py_8', ...given });
    expect(
      await factsFrom(movement('charge', { id: 'txn_8', at: AT, amount: 500, type: 'payment', source })),
    ).toEqual([
      { type: 'order', key: 'py_8', at, currency: 'EUR', gross: '5.00', channel: null, customerKey: null },
    ]);
  });

  test('each part of a charge that is captured in parts is an order, and none takes the place of another', async () => {
    const source = chargeOf({ id: 'ch_9', at: AT, amount: 900, transaction: 'txn_9a', customer: null });
    const parts = ['txn_9a', 'txn_9b'].map((id) =>
      movement('charge', { id, at: AT, amount: 450, type: 'charge', source }),
    );
    const facts = await factsFrom(...parts);
    expect(facts.map((fact) => ('key' in fact ? fact.key : ''))).toEqual(['ch_9', 'txn_9b']);
  });

  const refund = { source: refundOf({ id: 're_1', at: AT, amount: 500, charge: 'ch_7' }), at: AT };
  const dispute = { source: disputeOf({ id: 'du_1', at: AT, amount: 500, charge: 'ch_7' }), at: AT };
  const charge = {
    source: chargeOf({ id: 'ch_7', at: AT, amount: 500, transaction: 'txn_7', customer: null }),
    at: AT,
  };
  test.each([
    ['refund', 'money given back', { ...refund, type: 'refund', amount: -500 }, '5.00'],
    ['refund_failure', 'a refund undone', { ...refund, type: 'refund_failure', amount: 500 }, '-5.00'],
    [
      'partial_capture_reversal',
      'what was not captured',
      { ...charge, type: 'refund', amount: -200 },
      '2.00',
    ],
    [
      'charge_failure',
      'a debit that was not paid',
      { ...refund, type: 'payment_failure_refund', amount: -500 },
      '5.00',
    ],
    ['dispute', 'money that a bank took back', { ...dispute, amount: -500 }, '5.00'],
    ['dispute_reversal', 'a dispute undone', { ...dispute, amount: 500 }, '-5.00'],
  ])('%s is %s', async (category, _, given, amount) => {
    expect(await factsFrom(movement(category, { id: 'txn_x', ...given }))).toEqual([
      { type: 'refund', key: 'txn_x', orderKey: 'ch_7', at, currency: 'EUR', amount },
    ]);
  });

  test('a refund that failed comes to nothing, whichever of the two is read first', async () => {
    const facts = await factsFrom(
      movement('refund', { id: 'txn_2', ...refund, type: 'refund', amount: -500 }),
      movement('refund_failure', {
        ...refund,
        id: 'txn_3',
        at: '2026-11-22T10:00:00Z',
        type: 'refund_failure',
        amount: 500,
      }),
    );
    const amounts = facts.map((fact) => (fact.type === 'refund' ? [fact.key, fact.amount, fact.at] : []));
    expect(amounts).toEqual([
      ['txn_3', '-5.00', new Date('2026-11-22T10:00:00Z')],
      ['txn_2', '5.00', at],
    ]);
  });

  test('a source that was not expanded or is gone leaves the fact, with less in it', async () => {
    const list = [
      { ...sale({ id: 'txn_1', at: AT, amount: 100 }), source: 'ch_1' },
      { ...sale({ id: 'txn_2', at: AT, amount: 100 }), source: null },
      { ...movement('refund', { id: 'txn_3', ...refund, amount: -100 }), source: 're_1' },
    ];
    provider.mock.next({ json: { object: 'list', data: list, has_more: false, url: '/' } });
    expect(factsOf(await provider.pullAll())).toEqual([
      { type: 'order', key: 'ch_1', at, currency: 'EUR', gross: '1.00', channel: null, customerKey: null },
      { type: 'order', key: 'txn_2', at, currency: 'EUR', gross: '1.00', channel: null, customerKey: null },
      { type: 'refund', key: 'txn_3', orderKey: null, at, currency: 'EUR', amount: '1.00' },
    ]);
  });

  test.each(['fee', 'payout', 'transfer', 'risk_reserved_funds', 'topup'])(
    'a %s says nothing',
    async (category) => {
      expect(await factsFrom(movement(category, { id: 'txn_1', at: AT, amount: -900 }))).toEqual([]);
    },
  );

  test('a category, a type or a source of tomorrow is kept and says nothing', async () => {
    const source = { id: 'qf_1', object: 'quantum_fee', charge: 7, customer: [], balance_transaction: {} };
    const tomorrow = {
      ...movement('quantum_fee', { id: 'txn_1', at: AT, amount: 1, type: 'quantum' }),
      source,
    };
    provider.mock.next({ json: { object: 'list', data: [tomorrow], has_more: false, url: '/' } });
    const [page] = await provider.pullAll();
    expect(page?.rejected).toEqual([]);
    expect(page?.records).toMatchObject([{ id: 'txn_1', data: { type: 'quantum' }, facts: [] }]);
  });

  test.each([
    ['jpy', 1_234, '1234'],
    ['krw', 1, '1'],
    ['kwd', 5_120, '5.120'],
    ['bhd', 10, '0.010'],
    ['usd', 5, '0.05'],
    ['eur', 0, '0.00'],
    // Stripe writes it with two digits, Unicode's table with none.
    ['isk', 150_000, '1500'],
    // And this one with none, ISO 4217 with two.
    ['mga', 500, '500'],
    // More cents than a float counts exactly.
    ['usd', 9_007_199_254_740_991, '90071992547409.91'],
  ])('%s %i is %s', async (currency, amount, gross) => {
    const facts = await factsFrom(sale({ id: 'txn_1', at: AT, amount, currency }));
    expect(facts).toMatchObject([{ currency: currency.toUpperCase(), gross }]);
  });

  test('a sale half an hour before midnight is of that day where the account is', async () => {
    const [fact] = await factsFrom(sale({ id: 'txn_1', at: '2026-11-20T22:30:00Z', amount: 100 }));
    const sold = fact?.type === 'order' ? fact.at : NOW;
    expect(sold).toEqual(new Date('2026-11-20T22:30:00Z'));
    expect([dateIn('Europe/Berlin', sold), dateIn('Asia/Tokyo', sold)]).toEqual(['2026-11-20', '2026-11-21']);
  });

  test('a record that makes no sense is rejected by name, and the others are kept', async () => {
    const [first, second] = sales(2);
    const list = [
      first,
      { ...second, id: 'txn_float', amount: 10.5 },
      { ...second, id: 'txn_coin', currency: 'xyz' },
      { ...second, id: 'txn_shilling', currency: 'ugx' },
      { ...second, id: 'txn_future', created: 1e15 },
      'nothing',
      second,
    ];
    provider.mock.next({ json: { object: 'list', data: list, has_more: false, url: '/' } });
    const [page] = await provider.pullAll();
    expect(page?.records.map(({ id }) => id)).toEqual(['txn_1', 'txn_2']);
    const rejected = ['txn_float', 'txn_coin', 'txn_shilling', 'txn_future', 'record 6'];
    expect(page?.rejected.map(({ key }) => key)).toEqual(rejected);
  });

  test('nothing is kept of a person but an id', async () => {
    provider.mock.add(sale({ id: 'txn_1', at: AT, amount: 100, customer: 'cus_1' }));
    const kept = JSON.stringify(await provider.pullAll());
    expect(kept).toContain('cus_1');
    expect(kept).not.toContain('buyer');
  });
});
