import { z } from 'zod';
import { FOLLOWERS_KNOWN_DAYS } from '../domain/followers.ts';
import { addDays, isDate, type Period } from '../domain/period.ts';
import type { Sql } from '../repositories/db.ts';
import { socialAccountDays, type SocialAccountDay } from '../repositories/panel-social.ts';
import type { PanelScope } from '../repositories/panel-scope.ts';
import { splitSums, total } from './daily.ts';
import { fromRollups } from './filled.ts';
import type { Panel } from './panel.ts';
import { count, day } from './values.ts';

const socialValues = z.object({
  /** At the end of the period; null where the provider does not tell */
  followers: count.nullable(),
  impressions: count,
  engagements: count,
  series: z.array(
    z.object({ date: day, followers: count.nullable(), impressions: count, engagements: count }),
  ),
});
export type SocialValues = z.infer<typeof socialValues>;

/** Social networks. */
export const social: Panel<SocialValues> = {
  key: 'social',
  deadlineMs: 2_000,
  schema: socialValues,
  load: fromRollups('social', ({ db }, scope) => readSocial(db, scope)),
};

export async function readSocial(sql: Sql, scope: PanelScope): Promise<SocialValues> {
  return socialOf(scope, await socialAccountDays(sql, { ...scope, from: beforehand(scope) }));
}

function beforehand({ from }: Period): string {
  const earlier = addDays(from, -FOLLOWERS_KNOWN_DAYS);
  // The calendar begins with the year 1.
  return isDate(earlier) ? earlier : from;
}

/** @param rows of the period and of the FOLLOWERS_KNOWN_DAYS before it */
export function socialOf(period: Period, rows: readonly SocialAccountDay[]): SocialValues {
  const known = splitSums({ from: beforehand(period), to: period.to }, rows).days;
  const followers = new Followers();
  const series = known.flatMap(({ date, rows: accounts }, index) => {
    for (const account of accounts) followers.tell(account, index);
    if (date < period.from) return [];
    return {
      date,
      followers: followers.on(index),
      impressions: total(accounts, ({ impressions }) => impressions),
      engagements: total(accounts, ({ engagements }) => engagements),
    };
  });
  return {
    followers: series.at(-1)?.followers ?? null,
    impressions: total(series, ({ impressions }) => impressions),
    engagements: total(series, ({ engagements }) => engagements),
    series,
  };
}

/** The last known numbers of followers by account, while days go by. */
class Followers {
  readonly #accounts = new Map<string, { readonly followers: number; readonly day: number }>();

  tell({ account, followers }: SocialAccountDay, day: number): void {
    if (followers !== null) this.#accounts.set(account, { followers, day });
  }

  /** Of all accounts that are known on a day; null: of none */
  on(today: number): number | null {
    const known = [...this.#accounts.values()].filter(({ day }) => today - day <= FOLLOWERS_KNOWN_DAYS);
    return known.length === 0 ? null : total(known, ({ followers }) => followers);
  }
}
