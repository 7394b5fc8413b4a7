import { z } from 'zod';

/** What is left of one quota; Google leaves zeros out. */
const remaining = z.object({ remaining: z.int().default(0) });

/** https://developers.google.com/analytics/devguides/reporting/data/v1/rest/v1beta/PropertyQuota, the parts we spend. */
export const propertyQuota = z.object({
  tokensPerDay: remaining.optional(),
  tokensPerHour: remaining.optional(),
  tokensPerProjectPerHour: remaining.optional(),
});
export type PropertyQuota = z.infer<typeof propertyQuota>;

/** Most reports cost fewer than 10 tokens, and other programs of the account live on the same ones. */
const TOKENS_RESERVED = 200;

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;
/** Midnight of Pacific Standard Time, summer or not, as Google words it: at worst we come an hour late. */
const PACIFIC_MIDNIGHT_MS = 8 * HOUR_MS;

/** When to go on, if the tokens are nearly used up; null: there are enough. */
export function resumeAtOf(quota: PropertyQuota | undefined, now: Date): Date | null {
  if (isLow(quota?.tokensPerDay)) return endOfDay(now);
  return isLow(quota?.tokensPerHour) || isLow(quota?.tokensPerProjectPerHour) ? endOfHour(now) : null;
}

/** "Hourly quotas refresh within an hour" (https://developers.google.com/analytics/devguides/reporting/data/v1/quotas). */
export function endOfHour(now: Date): Date {
  return new Date((Math.floor(now.getTime() / HOUR_MS) + 1) * HOUR_MS);
}

/** "Daily quotas refresh at midnight PST" (ibid.). */
export function endOfDay(now: Date): Date {
  const days = Math.floor((now.getTime() - PACIFIC_MIDNIGHT_MS) / DAY_MS);
  return new Date((days + 1) * DAY_MS + PACIFIC_MIDNIGHT_MS);
}

function isLow(status: z.infer<typeof remaining> | undefined): boolean {
  return status !== undefined && status.remaining < TOKENS_RESERVED;
}
