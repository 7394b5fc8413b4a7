import { UserFacingError } from '../../domain/errors.ts';
import { PERIOD_PRESETS, resolvePeriod } from '../../domain/period.ts';
import type { Period, PeriodContext, PeriodInput as PeriodInputValue } from '../../domain/period.ts';
import type { PanelOrganization } from '../../panels/panel.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import { inputProblem } from '../errors.ts';
import { AdsPanel } from './panels/ads.ts';
import { EmailPanel } from './panels/email.ts';
import { RevenuePanel } from './panels/revenue.ts';
import { SocialPanel } from './panels/social.ts';
import { SupportPanel } from './panels/support.ts';
import { TrafficPanel } from './panels/traffic.ts';

const PRESET_DESCRIPTIONS: { readonly [P in (typeof PERIOD_PRESETS)[number]]: string } = {
  TODAY: 'This day, so far',
  YESTERDAY: 'The day before this one',
  LAST_7_DAYS: 'Seven days, the last of them today',
  LAST_30_DAYS: '30 days, the last of them today',
  LAST_90_DAYS: '90 days, the last of them today',
  THIS_MONTH: 'From the first of the month to today',
  LAST_MONTH: 'The whole month before this one',
  THIS_YEAR: 'From the first of January to today',
};

const PeriodPreset = builder.enumType('PeriodPreset', {
  description: "Days of the organization's calendar.",
  values: Object.fromEntries(
    PERIOD_PRESETS.map((preset) => [preset, { value: preset, description: PRESET_DESCRIPTIONS[preset] }]),
  ),
});

const DateRangeInput = builder.inputType('DateRangeInput', {
  description: 'From one day to another, both included.',
  fields: (t) => ({
    from: t.field({ type: 'Date', required: true, description: 'First day' }),
    to: t.field({ type: 'Date', required: true, description: 'Last day, not before the first' }),
  }),
});

export const PeriodInput = builder.inputType('PeriodInput', {
  description: 'Default: 30 days, today included. At most 731 days',
  isOneOf: true,
  fields: (t) => ({
    days: t.int({ description: 'So many days, the last of them today' }),
    range: t.field({ type: DateRangeInput, description: 'From one day to another' }),
    preset: t.field({ type: PeriodPreset, description: 'By name' }),
  }),
});

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

/** @throws BAD_USER_INPUT that names the argument, for a period that is none */
function readPeriod(input: PeriodInputValue | null | undefined, context: PeriodContext): Period {
  try {
    return resolvePeriod(input, context);
  } catch (error) {
    const [mistake] = error instanceof UserFacingError ? error.errors : [];
    throw mistake ? inputProblem(mistake.field ?? ['period'], mistake.message) : error;
  }
}
