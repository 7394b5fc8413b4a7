import type { Period } from '../../domain/period.ts';
import type { PanelOrganization } from '../../panels/panel.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import { AdsPanel } from './panels/ads.ts';
import { EmailPanel } from './panels/email.ts';
import { RevenuePanel } from './panels/revenue.ts';
import { SocialPanel } from './panels/social.ts';
import { SupportPanel } from './panels/support.ts';
import { TrafficPanel } from './panels/traffic.ts';
import { PeriodInput, readPeriod } from './period-input.ts';

interface DashboardShape {
  readonly organization: PanelOrganization;
  readonly period: Period;
}

/** Only the panels that a query selects are loaded, side by side, and none waits for or fails with another. */
const Dashboard = builder.objectRef<DashboardShape>('Dashboard').implement({
  description:
    "A panel's own trouble is in its `state`; null only for a defect in that panel, with an error whose path names it",
  fields: (t) => ({
    from: t.field({ type: 'Date', description: 'First day', resolve: ({ period }) => period.from }),
    to: t.field({ type: 'Date', description: 'Last day', resolve: ({ period }) => period.to }),
    timeZone: t.string({
      description: "The organization's, whose days these are",
      resolve: ({ organization }) => organization.timeZone,
    }),
    revenue: t.field({
      type: RevenuePanel,
      description: 'Sales',
      nullable: true,
      resolve: ({ organization, period }, _, { panels }) => panels.read('revenue', organization, period),
    }),
    traffic: t.field({
      type: TrafficPanel,
      description: 'Visits to the shop',
      nullable: true,
      resolve: ({ organization, period }, _, { panels }) => panels.read('traffic', organization, period),
    }),
    ads: t.field({
      type: AdsPanel,
      description: 'Paid advertising',
      nullable: true,
      resolve: ({ organization, period }, _, { panels }) => panels.read('ads', organization, period),
    }),
    social: t.field({
      type: SocialPanel,
      description: 'Social networks',
      nullable: true,
      resolve: ({ organization, period }, _, { panels }) => panels.read('social', organization, period),
    }),
    email: t.field({
      type: EmailPanel,
      description: 'E-mail campaigns',
      nullable: true,
      resolve: ({ organization, period }, _, { panels }) => panels.read('email', organization, period),
    }),
    support: t.field({
      type: SupportPanel,
      description: 'The help desk',
      nullable: true,
      resolve: ({ organization, period }, _, { panels }) => panels.read('support', organization, period),
    }),
  }),
});

builder.queryField('dashboard', (t) =>
  t.field({
    extensions: needs('read'),
    type: Dashboard,
    description: 'Six panels over one period, each on its own',
    args: { period: t.arg({ type: PeriodInput, description: 'Days that the figures are of' }) },
    resolve: (_root, { period }, { principal: { organization }, clock }) => ({
      organization,
      period: readPeriod(period, { timeZone: organization.timeZone, now: clock.now() }),
    }),
  }),
);
