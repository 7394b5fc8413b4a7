import { performance } from 'node:perf_hooks';
import { JobFailure } from '../../src/domain/errors.ts';
import type { webhookDelivery } from '../../src/jobs/webhook-delivery.ts';
import { toError } from '../../src/lib/abort.ts';
import { UnsafeUrlError, type OutboundPolicy } from '../../src/lib/outbound-url.ts';
import { safeFetch } from '../../src/lib/safe-fetch.ts';
import { judgeAnswer, webhookDelayMs, type WebhookVerdict } from '../../src/notify/webhook-answer.ts';
import { webhookHeaders } from '../../src/notify/webhook-message.ts';
import {
  failDelivery,
  findDueDelivery,
  reportAttempt,
  type DueDelivery,
} from '../../src/repositories/webhook-deliveries.ts';
import { ENDPOINT_SECRETS, noteAttempt } from '../../src/repositories/webhook-endpoints.ts';
import type { SecretCipher } from '../../src/secrets/index.ts';
import type { Handler, JobContext } from '../context.ts';

export interface WebhookDeliveryDeps {
  readonly cipher: SecretCipher;
  readonly outbound: OutboundPolicy;
}

/** An endpoint answers within this time, in ms, or has failed. */
const ANSWER_TIMEOUT_MS = 10_000;
const ANSWER_BYTES_MAX = 4 * 1024;

interface Answer {
  readonly verdict: WebhookVerdict;
  readonly responseCode: number | null;
  readonly durationMs: number;
}

/** Sends one delivery and writes down how it went; a failed attempt throws, with the time of the next. */
export function deliverWebhook(deps: WebhookDeliveryDeps): Handler<typeof webhookDelivery> {
  return async (ctx, { deliveryId }) => {
    const delivery = await findDueDelivery(ctx.db, deliveryId, ctx.jobId);
    if (!delivery) return { responseCode: null };
    if (!delivery.isEnabled) {
      await ctx.transaction((tx) => failDelivery(tx, delivery.id, 'The endpoint is disabled.'));
      return { responseCode: null };
    }
    const answer = await send(deps, ctx, delivery);
    const nextInMs =
      answer.verdict.type === 'failed' ? webhookDelayMs(ctx.attempt, answer.verdict.retryAfterMs) : null;
    await report(ctx, delivery, answer, nextInMs);
    if (answer.verdict.type === 'failed') throw failureOf(answer.verdict.message, nextInMs);
    return { responseCode: answer.responseCode };
  };
}

async function send(deps: WebhookDeliveryDeps, ctx: JobContext, delivery: DueDelivery): Promise<Answer> {
  const body = JSON.stringify(delivery.payload);
  const message = { eventId: delivery.eventId, sentAt: ctx.now(), body };
  const headers = webhookHeaders(message, secretsOf(deps.cipher, delivery));
  const startedMs = performance.now();
  const durationMs = (): number => Math.round(performance.now() - startedMs);
  try {
    const request = {
      url: delivery.url,
      method: 'POST',
      headers,
      body,
      signal: ctx.signal,
      timeoutMs: ANSWER_TIMEOUT_MS,
      bodyBytesMax: ANSWER_BYTES_MAX,
    } as const;
    const { status, headers: answered } = await safeFetch(request, deps.outbound);
    const verdict = judgeAnswer(status, answered['retry-after'], ctx.now());
    return { verdict, responseCode: status, durationMs: durationMs() };
  } catch (error) {
    // Told to stop: the attempt says nothing about the endpoint.
    ctx.signal.throwIfAborted();
    const verdict = { type: 'failed', message: describe(toError(error)), retryAfterMs: null } as const;
    return { verdict, responseCode: null, durationMs: durationMs() };
  }
}

function secretsOf(cipher: SecretCipher, { endpointId, secret, previousSecret }: DueDelivery): string[] {
  const { table, current, previous } = ENDPOINT_SECRETS;
  const place = { table, rowId: endpointId };
  return [
    cipher.decrypt(secret, { ...place, column: current }),
    ...(previousSecret === null ? [] : [cipher.decrypt(previousSecret, { ...place, column: previous })]),
  ];
}

async function report(
  ctx: JobContext,
  delivery: DueDelivery,
  { verdict, responseCode, durationMs }: Answer,
  nextInMs: number | null,
): Promise<void> {
  const isDelivered = verdict.type === 'delivered';
  await ctx.transaction(async (tx) => {
    await reportAttempt(tx, delivery.id, {
      durationMs,
      responseCode,
      errorMessage: isDelivered ? null : verdict.message,
      next: isDelivered ? { status: 'delivered' } : { status: 'failed', nextInMs },
    });
    await noteAttempt(tx, delivery.endpointId, verdict.type);
  });
}

function failureOf(message: string, nextInMs: number | null): JobFailure {
  if (nextInMs === null) return JobFailure.permanent('PROVIDER_UNAVAILABLE', message);
  return JobFailure.retryable('PROVIDER_UNAVAILABLE', message, undefined, nextInMs);
}

/** Why no answer came, for people. */
function describe(error: Error): string {
  if (error instanceof UnsafeUrlError) return `The address may not be called: ${error.message}`;
  if (error.name === 'TimeoutError')
    return `The endpoint did not answer within ${ANSWER_TIMEOUT_MS / 1_000} seconds.`;
  const code = 'code' in error ? ` (${String(error.code)})` : '';
  return `The endpoint could not be reached${code}.`;
}
