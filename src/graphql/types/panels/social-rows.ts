import { readSocial } from '../../../panels/social.ts';
import {
  SOCIAL_GROUPS,
  socialRows,
  type SocialGroup,
  type SocialRowFigures,
} from '../../../repositories/panel-social-rows.ts';
import { needs } from '../../authorization/rules.ts';
import { builder } from '../../builder.ts';
import { connectionType, pageArgs } from '../connection.ts';
import { PanelSource } from './panel.ts';
import { SocialFigures } from './social-figures.ts';
import {
  groupByEnum,
  PanelRow,
  rowsArgs,
  rowsPage,
  SOURCES,
  TOTAL_COUNT,
  TOTALS,
  type PanelRowShape,
  type RowsScope,
} from './rows.ts';

const GROUP_DESCRIPTIONS: { readonly [G in SocialGroup]: string } = {
  none: 'Everything together',
  network: 'The social network',
  account: 'The page or profile',
};

const SocialGroupBy = groupByEnum('SocialGroupBy', SOCIAL_GROUPS, GROUP_DESCRIPTIONS);

const SocialRow = builder.objectRef<PanelRowShape<SocialRowFigures>>('SocialRow').implement({
  description: 'Reach on social networks of one group within one day, week or month.',
  interfaces: [PanelRow],
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

const SocialRows = connectionType<PanelRowShape<SocialRowFigures>, RowsScope>(
  'SocialRow',
  (t) => t.field({ type: SocialRow, description: 'One row', resolve: ({ node }) => node }),
  {
    description: 'Reach on social networks in rows, the earliest first, then by key.',
    totalCount: TOTAL_COUNT,
  },
);
builder.objectFields(SocialRows, (t) => ({
  totals: t.field({
    type: SocialFigures,
    description: TOTALS,
    resolve: ({ scope }, _args, { db }) => readSocial(db, scope),
  }),
  sources: t.field({ type: [PanelSource], description: SOURCES, resolve: ({ sources }) => [...sources] }),
}));

builder.queryField('social', (t) =>
  t.field({
    extensions: needs('read'),
    type: SocialRows,
    description: 'Reach on social networks in detail: figures by day, week or month, and by group',
    args: {
      ...rowsArgs,
      groupBy: t.arg({
        type: SocialGroupBy,
        required: true,
        defaultValue: 'none',
        description: 'What rows are grouped by',
      }),
      ...pageArgs,
    },
    resolve: (_root, args, ctx) => rowsPage(ctx, 'social', socialRows, args),
  }),
);
