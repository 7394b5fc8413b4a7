import { z } from 'zod';
import { sleep } from '../../lib/abort.ts';
import type { ProviderAnswer } from '../client.ts';
import type { PullContext } from '../connector.ts';
import { ProviderError } from '../provider-error.ts';

/**
 * How much of Meta's limits is used, told in headers of its answers
 * (https://developers.facebook.com/docs/graph-api/overview/rate-limiting): at 100 % every request fails.
 */
export interface Usage {
  /** Of the limit that is used most */
  readonly percent: number;
  /** When the last limit that is used up is free again; null: none is, or nobody tells */
  readonly regainMs: number | null;
}

/** From here on we pause between requests. */
const SLOW_PERCENT = 75;
/** From here on we come back later. */
const STOP_PERCENT = 95;
const PAUSE_MS_MAX = 5_000;
/** The app's own limit counts a rolling hour and does not tell when it is free: we look again after a quarter, in ms. */
const REGAIN_MS_DEFAULT = 15 * 60_000;
/** Waits that no limit of Meta has are not believed, in ms. */
const REGAIN_MS_MAX = 24 * 60 * 60_000;

const figure = z.number().min(0).catch(0);

const appUsage = z
  .object({ call_count: figure, total_time: figure, total_cputime: figure })
  .transform((app) => [usage(Math.max(app.call_count, app.total_time, app.total_cputime), 0)]);

/** `reset_time_duration` in seconds, told at any usage. */
const accountUsage = z
  .object({ acc_id_util_pct: figure, reset_time_duration: figure })
  .transform(({ acc_id_util_pct: percent, reset_time_duration: seconds }) => [
    usage(percent, percent >= STOP_PERCENT ? seconds * 1_000 : 0),
  ]);

/** By the business's id; `estimated_time_to_regain_access` in minutes, 0 while access is not lost. */
const businessUsage = z
  .record(
    z.string(),
    z.array(
      z.object({
        call_count: figure,
        total_time: figure,
        total_cputime: figure,
        estimated_time_to_regain_access: figure,
      }),
    ),
  )
  .transform((businesses) =>
    Object.values(businesses)
      .flat()
      .map((each) =>
        usage(
          Math.max(each.call_count, each.total_time, each.total_cputime),
          each.estimated_time_to_regain_access * 60_000,
        ),
      ),
  );

const insightsThrottle = z
  .object({ app_id_util_pct: figure, acc_id_util_pct: figure })
  .transform((throttle) => [usage(Math.max(throttle.app_id_util_pct, throttle.acc_id_util_pct), 0)]);

const HEADERS: Readonly<Record<string, z.ZodType<Usage[]>>> = {
  'x-app-usage': appUsage,
  'x-ad-account-usage': accountUsage,
  'x-business-use-case-usage': businessUsage,
  'x-fb-ads-insights-throttle': insightsThrottle,
};

function usage(percent: number, regainMs: number): Usage {
  return { percent, regainMs: regainMs === 0 ? null : Math.min(regainMs, REGAIN_MS_MAX) };
}

/** Headers that cannot be read count as none. */
export function usageOf(headers: Headers): Usage {
  const all = Object.entries(HEADERS).flatMap(([name, shape]) => read(headers.get(name), shape));
  const regains = all.flatMap(({ regainMs }) => (regainMs === null ? [] : [regainMs]));
  return {
    percent: Math.max(0, ...all.map(({ percent }) => percent)),
    regainMs: regains.length === 0 ? null : Math.max(...regains),
  };
}

function read(header: string | null, shape: z.ZodType<Usage[]>): Usage[] {
  if (header === null) return [];
  try {
    return shape.safeParse(JSON.parse(header)).data ?? [];
  } catch {
    return [];
  }
}

/** How long to wait before the next request, in ms: a quarter of a second at 75 %, nearly five at 94 %. */
export function pauseMsAt(percent: number): number {
  return percent < SLOW_PERCENT ? 0 : Math.min(PAUSE_MS_MAX, (percent - SLOW_PERCENT + 1) * 250);
}

/**
 * Called between a page that was yielded and the next request.
 * @throws ProviderError rate_limited when it has to wait for long
 */
export async function pace(
  { headers }: ProviderAnswer,
  { now, signal }: PullContext<unknown>,
): Promise<void> {
  const { percent, regainMs } = usageOf(headers);
  if (percent >= STOP_PERCENT) {
    const resumeAt = new Date(now().getTime() + (regainMs ?? REGAIN_MS_DEFAULT));
    throw new ProviderError('rate_limited', `${Math.round(percent)} % of Meta’s limit is used.`, {
      resumeAt,
    });
  }
  const pauseMs = pauseMsAt(percent);
  if (pauseMs > 0) await sleep(pauseMs, signal);
  signal.throwIfAborted();
}
