import { changePercent } from '../../../panels/comparison.ts';
import type { SocialValues } from '../../../panels/social.ts';
import { builder } from '../../builder.ts';
import { CHANGE, COMPARISON, PanelComparison, type Comparison } from './comparison.ts';

export const SocialFigures = builder.objectRef<Omit<SocialValues, 'series'>>('SocialFigures').implement({
  description: 'Reach on social networks of some days.',
  fields: (t) => ({
    followers: t.expose('followers', {
      type: 'SafeInt',
      nullable: true,
      description: 'At the end of the last day; null where no account tells',
    }),
    impressions: t.expose('impressions', { type: 'SafeInt', description: 'Times a post was shown' }),
    engagements: t.expose('engagements', {
      type: 'SafeInt',
      description: 'Likes, comments, shares and the like',
    }),
  }),
});

export const SocialComparison = builder.objectRef<Comparison<SocialValues>>('SocialComparison').implement({
  description: COMPARISON,
  interfaces: [PanelComparison],
  fields: (t) => ({
    figures: t.field({ type: SocialFigures, description: 'Of that period', resolve: ({ before }) => before }),
    followersChangePercent: t.field({
      type: 'Float',
      nullable: true,
      description: CHANGE,
      resolve: ({ now, before }) => changePercent(now.followers, before.followers),
    }),
    impressionsChangePercent: t.field({
      type: 'Float',
      nullable: true,
      description: CHANGE,
      resolve: ({ now, before }) => changePercent(now.impressions, before.impressions),
    }),
    engagementsChangePercent: t.field({
      type: 'Float',
      nullable: true,
      description: CHANGE,
      resolve: ({ now, before }) => changePercent(now.engagements, before.engagements),
    }),
  }),
});
