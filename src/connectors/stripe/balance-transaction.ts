import { z } from 'zod';
import type { Fact } from '../../domain/facts.ts';
import { isReadable, toDecimal } from './amounts.ts';

const id = z.string().min(1).max(500);
/** Stripe writes an object that it was not asked to expand as its id. */
const reference = z.union([id, z.object({ id })]);
/** What is of no use here may have any shape. */
const optionalReference = reference.nullish().catch(null);

/** Charge, refund, dispute or any other of two dozen objects. */
const source = z.object({
  id,
  object: z.string(),
  /** What a refund or a dispute is about */
  charge: optionalReference,
  /** Who paid a charge */
  customer: optionalReference,
  /** By what a charge came into the balance */
  balance_transaction: optionalReference,
});

/** https://docs.stripe.com/api/balance_transactions/object: amounts are in the account's settlement currency. */
export const balanceTransaction = z.object({
  id,
  /** In the smallest unit; negative: it left the balance. Fees are not in it */
  amount: z.int(),
  currency: z
    .string()
    .refine(isReadable, { error: 'expected an ISO 4217 currency that Stripe writes one way' }),
  /** In s since 1970, to the end of the year 9999 */
  created: z.int().min(0).max(253_402_300_799),
  available_on: z.int(),
  fee: z.int(),
  net: z.int(),
  exchange_rate: z.number().nullish(),
  type: z.string(),
  reporting_category: z.string(),
  status: z.string(),
  description: z.string().nullish(),
  source: z.union([id, source]).nullish(),
});
type BalanceTransaction = z.infer<typeof balanceTransaction>;
type Source = z.infer<typeof source>;

/**
 * Categories of money that a customer got back, or that came back from there
 * (https://docs.stripe.com/reports/reporting-categories). They are signed as the balance is, so what undoes a refund is
 * a refund below zero, on the day that it happened and under its own key: a day that is closed stays as it was, and it
 * does not matter which of the two is read first.
 */
const GIVEN_BACK: ReadonlySet<string> = new Set([
  'refund',
  // The bank did not take it: the money is back in the balance.
  'refund_failure',
  // A charge is booked with what was authorised; this takes away what was not captured.
  'partial_capture_reversal',
  // A debit that was booked as a charge while it was pending, and was not paid in the end.
  'charge_failure',
  // Booked when the bank takes the money, not when a customer asks; an inquiry books nothing.
  'dispute',
  // Won, or withdrawn.
  'dispute_reversal',
]);

/** Sales and what was given back. Payouts, fees, transfers, reserves and categories to come say nothing of them. */
export function factsOf(transaction: BalanceTransaction): Fact[] {
  if (transaction.reporting_category === 'charge') return [orderOf(transaction)];
  return GIVEN_BACK.has(transaction.reporting_category) ? [refundOf(transaction)] : [];
}

function orderOf(transaction: BalanceTransaction): Fact {
  const { amount, currency: code } = transaction;
  const charge = expanded(transaction);
  const currency = code.toUpperCase();
  return {
    type: 'order',
    key: orderKeyOf(transaction),
    at: momentOf(transaction),
    currency,
    gross: toDecimal(amount, currency),
    // Stripe knows how was paid, not where was sold.
    channel: null,
    customerKey: idOf(charge?.customer),
  };
}

/**
 * The charge's id, by which refunds name it. A charge that is captured in several parts comes into the balance several
 * times (https://docs.stripe.com/payments/multicapture): the parts that it does not name itself are orders of their own.
 */
function orderKeyOf(transaction: BalanceTransaction): string {
  const named = idOf(expanded(transaction)?.balance_transaction) ?? transaction.id;
  return named === transaction.id ? (idOf(transaction.source) ?? transaction.id) : transaction.id;
}

function refundOf(transaction: BalanceTransaction): Fact {
  const about = expanded(transaction);
  const currency = transaction.currency.toUpperCase();
  return {
    type: 'refund',
    key: transaction.id,
    orderKey: about?.object === 'charge' ? about.id : idOf(about?.charge),
    at: momentOf(transaction),
    currency,
    amount: toDecimal(-transaction.amount, currency),
  };
}

function expanded({ source }: BalanceTransaction): Source | null {
  return typeof source === 'object' ? source : null;
}

function idOf(reference: string | { readonly id: string } | null | undefined): string | null {
  return typeof reference === 'object' ? (reference?.id ?? null) : (reference ?? null);
}

function momentOf({ created }: BalanceTransaction): Date {
  return new Date(created * 1_000);
}
