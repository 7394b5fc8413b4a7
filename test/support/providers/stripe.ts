import type { Document } from 'openapi-backend';
import { openApiContract, type Contract } from './contract.ts';
import { startMockServer, type MockAnswer, type MockRequest, type MockServer } from './mock-server.ts';

type Json = Readonly<Record<string, unknown>>;

/** A movement of the balance, its source in full. */
export interface Movement extends Json {
  readonly id: string;
  /** In s since 1970 */
  readonly created: number;
  readonly source: (Json & { readonly id: string }) | null;
}

export interface MockStripe extends MockServer {
  /** Adds movements; they are listed by when they were created, whatever order they come in. */
  add(...movements: readonly Movement[]): void;
  /** From now on the key opens nothing. */
  revoke(): void;
  /** Takes a permission from the key: "rak_charge_read". */
  forbid(permission: string): void;
}

/** Restricted, as Stripe makes them. */
export const KEY = `rk_test_${'51Mq7Xw9'.repeat(12)}`;
export const CONNECTED_ACCOUNT = 'acct_1Connected';

const VERSION = '2026-10-28.endive';
const LISTED = '/v1/balance_transactions';
const PARAMETERS =
  /^(created\[(gt|gte|lt|lte)\]|currency|ending_before|expand\[\]|limit|payout|source|starting_after|type)$/;
/** What each address asks of a restricted key. */
const PERMISSIONS: Readonly<Record<string, string>> = {
  '/v1/account': 'rak_accounts_kyc_basic_read',
  [LISTED]: 'rak_balance_transaction_read',
};

/** What Stripe's specification says; compiled here, since the first answers would wait for it for seconds. */
export async function stripeContract(): Promise<Contract | null> {
  const contract = await openApiContract('stripe/stripe-openapi-2023-08-16.trimmed.json', withoutErrors);
  for (const path of Object.keys(PERMISSIONS)) {
    const request = { method: 'GET', path, query: new URLSearchParams(), headers: {}, body: '' };
    contract?.problemsOfRequest(request);
    contract?.problemsOfAnswer(request, { json: {} });
  }
  return contract;
}

/** An error may hold most of what Stripe has, and a contract does not look at errors: they are most of the work. */
function withoutErrors(document: Document): Document {
  for (const path of Object.values(document.paths ?? {})) delete path?.get?.responses?.['default'];
  return document;
}

/** One account of Stripe's, with a connected one, and a key that may read all of it. */
export async function startStripe(contract: Contract | null, account: Json = {}): Promise<MockStripe> {
  const movements: Movement[] = [];
  const forbidden = new Set<string>();
  let isRevoked = false;

  function handle(request: MockRequest): MockAnswer {
    const refusal = refusalOf(request);
    if (refusal) return refusal;
    if (request.path === LISTED) return listPage(movements, request.query);
    const id = request.headers['stripe-account'];
    return { json: { ...accountOf(id), ...account } };
  }

  function refusalOf({ method, path, headers }: MockRequest): MockAnswer | null {
    if (headers['authorization'] !== `Bearer ${KEY}`)
      return refuse(401, `Invalid API Key provided: ${masked(headers['authorization'])}`);
    if (isRevoked)
      return refuse(401, `Expired API Key provided: ${masked(KEY)}`, { code: 'api_key_expired' });
    if (headers['stripe-version'] !== VERSION)
      return refuse(400, `Invalid Stripe API version: ${headers['stripe-version'] ?? ''}`);
    if (![undefined, CONNECTED_ACCOUNT].includes(headers['stripe-account']))
      return refuse(403, `The provided key '${masked(KEY)}' does not have access to that account`);
    const permission = PERMISSIONS[path];
    if (permission === undefined || method !== 'GET')
      return refuse(404, `Unrecognized request URL (${method}: ${path}).`);
    const missing = [permission, 'rak_charge_read'].find((each) => forbidden.has(each));
    if (missing === undefined || (missing === 'rak_charge_read' && path !== LISTED)) return null;
    const message = `The provided key '${masked(KEY)}' does not have the required permissions for this endpoint on account 'acct_1Mock'. Having the '${missing}' permission would allow this request to continue.`;
    return refuse(403, message);
  }

  const server = await startMockServer({ handle, contract });
  return Object.assign(server, {
    add(...added: readonly Movement[]) {
      movements.unshift(...added);
      movements.sort((left, right) => right.created - left.created);
    },
    revoke: () => void (isRevoked = true),
    forbid: (permission: string) => void forbidden.add(permission),
  });
}

function listPage(movements: readonly Movement[], query: URLSearchParams): MockAnswer {
  const unknown = [...query.keys()].find((name) => !PARAMETERS.test(name));
  if (unknown !== undefined)
    return refuse(400, `Received unknown parameter: ${unknown}`, { code: 'parameter_unknown' });
  const limit = Number(query.get('limit') ?? 10);
  if (!(limit >= 1 && limit <= 100)) return refuse(400, 'Limit must be between 1 and 100');
  const expand = query.getAll('expand[]');
  if (expand.some((path) => path !== 'data.source')) return refuse(400, `This property cannot be expanded.`);
  const after = query.get('starting_after');
  const before = movements.findIndex(({ id }) => id === after);
  if (after !== null && before === -1)
    return refuse(400, `No such balance transaction: '${after}'`, { code: 'resource_missing' });
  const found = movements.slice(before + 1).filter(({ created }) => isWithin(created, query));
  const shown = found.slice(0, limit).map((movement) => shape(movement, expand.length > 0));
  return { json: listOf(shown, found.length > limit) };
}

function isWithin(created: number, query: URLSearchParams): boolean {
  const bound = (name: string, otherwise: number): number =>
    Number(query.get(`created[${name}]`) ?? otherwise);
  return (
    created > bound('gt', -Infinity) &&
    created >= bound('gte', -Infinity) &&
    created < bound('lt', Infinity) &&
    created <= bound('lte', Infinity)
  );
}

function shape(movement: Movement, isExpanded: boolean): Json {
  return isExpanded ? movement : { ...movement, source: movement.source?.id ?? null };
}

function listOf(data: readonly Json[], hasMore: boolean): Json {
  return { object: 'list', data, has_more: hasMore, url: LISTED };
}

/** An error as Stripe words it. */
export function refuse(status: number, message: string, details: Json = {}): MockAnswer {
  return {
    status,
    headers: { 'request-id': 'req_mock' },
    json: { error: { type: 'invalid_request_error', message, ...details } },
  };
}

/** As Stripe shows a key: its beginning and its end. */
function masked(key = ''): string {
  const text = key.replace(/^Bearer /, '');
  return `${text.slice(0, 8)}${'*'.repeat(20)}${text.slice(-6)}`;
}

function accountOf(id = 'acct_1Mock'): Json {
  return {
    id,
    object: 'account',
    email: 'owner@shop.test',
    default_currency: 'eur',
    business_profile: { name: 'The shop' },
    settings: {
      branding: { icon: null, logo: null, primary_color: null, secondary_color: null },
      card_payments: {},
      dashboard: { display_name: 'The shop in Stripe', timezone: 'Europe/Berlin' },
      payments: {},
    },
  };
}

interface MovementInput {
  readonly id: string;
  /** ISO 8601 */
  readonly at: string;
  /** In the smallest unit of the currency */
  readonly amount: number;
  /** Default: eur */
  readonly currency?: string;
  /** Default: what the category is made of */
  readonly type?: string;
  readonly source?: Movement['source'];
}

export function movement(
  category: string,
  { id, at, amount, currency = 'eur', type = 'adjustment', source = null }: MovementInput,
): Movement {
  return {
    id,
    object: 'balance_transaction',
    amount,
    available_on: secondsOf(at) + 2 * 86_400,
    balance_type: 'payments',
    created: secondsOf(at),
    currency,
    description: null,
    exchange_rate: null,
    fee: 0,
    fee_details: [],
    net: amount,
    reporting_category: category,
    source,
    status: 'pending',
    type,
  };
}

/** What a customer paid, by a charge of the same number: "txn_7" comes from "ch_7". */
export function sale({
  id,
  customer = null,
  ...given
}: MovementInput & { customer?: string | null }): Movement {
  const source = chargeOf({ id: id.replace('txn', 'ch'), transaction: id, customer, ...given });
  return movement('charge', { type: 'charge', source, id, ...given });
}

interface ChargeInput extends Omit<MovementInput, 'source' | 'type'> {
  /** By which it came into the balance */
  readonly transaction: string;
  readonly customer: string | null;
}

export function chargeOf({ id, at, amount, currency = 'eur', transaction, customer }: ChargeInput) {
  return {
    id,
    object: 'charge',
    amount,
    amount_captured: amount,
    amount_refunded: 0,
    balance_transaction: transaction,
    billing_details: { address: null, email: 'buyer@mail.test', name: 'A buyer', phone: null },
    captured: true,
    created: secondsOf(at),
    currency,
    customer,
    disputed: false,
    livemode: false,
    metadata: {},
    paid: true,
    refunded: false,
    status: 'succeeded',
  };
}

interface ClaimInput {
  readonly id: string;
  readonly at: string;
  readonly amount: number;
  readonly currency?: string;
  readonly charge: string;
}

export function refundOf({ id, at, amount, currency = 'eur', charge }: ClaimInput) {
  return { id, object: 'refund', amount, charge, created: secondsOf(at), currency, status: 'succeeded' };
}

export function disputeOf({ id, at, amount, currency = 'eur', charge }: ClaimInput) {
  return {
    id,
    object: 'dispute',
    amount,
    balance_transactions: [],
    charge,
    created: secondsOf(at),
    currency,
    evidence: {},
    evidence_details: { has_evidence: false, past_due: false, submission_count: 0 },
    is_charge_refundable: false,
    livemode: false,
    metadata: {},
    reason: 'fraudulent',
    status: 'needs_response',
  };
}

function secondsOf(at: string): number {
  return Date.parse(at) / 1_000;
}
