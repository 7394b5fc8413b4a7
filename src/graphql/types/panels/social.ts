import type { PanelReading } from '../../../panels/reading.ts';
import type { SocialValues } from '../../../panels/social.ts';
import { builder } from '../../builder.ts';
import { BEFORE, comparisonOf } from './comparison.ts';
import { Panel } from './panel.ts';
import { SocialComparison } from './social-figures.ts';

const SocialPoint = builder.objectRef<SocialValues['series'][number]>('SocialPoint').implement({
  description: 'Reach of one day.',
  fields: (t) => ({
    date: t.expose('date', { type: 'Date', description: "Day in the organization's time zone" }),
    followers: t.expose('followers', {
      type: 'SafeInt',
      nullable: true,
      description: 'At the end of that day',
    }),
    impressions: t.expose('impressions', { type: 'SafeInt', description: 'Times a post was shown' }),
    engagements: t.expose('engagements', {
      type: 'SafeInt',
      description: 'Likes, comments, shares and the like',
    }),
  }),
});

export const SocialPanel = builder.objectRef<PanelReading<SocialValues>>('SocialPanel').implement({
  description: 'Reach on social networks.',
  interfaces: [Panel],
  fields: (t) => ({
    followers: t.field({
      type: 'SafeInt',
      nullable: true,
      description: 'At the end of the period',
      resolve: ({ values }) => values?.followers,
    }),
    impressions: t.field({
      type: 'SafeInt',
      nullable: true,
      description: 'Times a post was shown',
      resolve: ({ values }) => values?.impressions,
    }),
    engagements: t.field({
      type: 'SafeInt',
      nullable: true,
      description: 'Likes, comments, shares and the like',
      resolve: ({ values }) => values?.engagements,
    }),
    before: t.field({
      type: SocialComparison,
      nullable: true,
      description: BEFORE,
      resolve: (reading, _args, ctx) => comparisonOf('social', reading, ctx),
    }),
    series: t.field({
      type: [SocialPoint],
      description: 'One point per day of the period, oldest first',
      resolve: ({ values }) => values?.series ?? [],
    }),
  }),
});
