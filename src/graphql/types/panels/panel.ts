import { PANEL_KEYS, type PanelKey as PanelKeyValue } from '../../../domain/panel.ts';
import { PANEL_FAILURE_CODES, PANEL_STATES } from '../../../panels/reading.ts';
import type {
  PanelFailure as PanelFailureShape,
  PanelFailureCode as FailureCode,
  PanelReading,
  PanelSource as PanelSourceShape,
  PanelState as PanelStateValue,
} from '../../../panels/reading.ts';
import { builder } from '../../builder.ts';

const KEY_DESCRIPTIONS: { readonly [K in PanelKeyValue]: string } = {
  revenue: 'Orders and what they brought in',
  traffic: 'Visits to the sites',
  ads: 'What advertising cost and did',
  social: 'Followers and what they do',
  email: 'Campaigns and what became of them',
  support: 'Tickets and how they were answered',
};

export const PanelKey = builder.enumType('PanelKey', {
  description: 'The panels of the dashboard.',
  values: Object.fromEntries(
    PANEL_KEYS.map((key) => [key.toUpperCase(), { value: key, description: KEY_DESCRIPTIONS[key] }]),
  ),
});

const STATE_DESCRIPTIONS: { readonly [S in PanelStateValue]: string } = {
  READY: 'Filled and fresh; nothing sold or sent shows as zeros',
  STALE: 'The last good values: they are older, a source of them fails, or loading took too long',
  LOADING: 'Connected, never filled yet',
  FAILED: 'No good values to show',
  NOT_CONNECTED: 'No source',
};

export const PanelState = builder.enumType('PanelState', {
  description: 'How far the values of a panel, or of one source, can be trusted.',
  values: Object.fromEntries(
    PANEL_STATES.map((state) => [state, { value: state, description: STATE_DESCRIPTIONS[state] }]),
  ),
});

const CODE_DESCRIPTIONS: { readonly [C in FailureCode]: string } = {
  TIMEOUT: 'Loading took longer than the panel may take',
  SOURCE_FAILED: 'The source could not be read',
  SOURCE_AUTH: 'The source refuses the credentials: connect it again',
  INVALID_DATA: 'What the source returned makes no sense',
  INTERNAL: 'A defect on our side',
};

const PanelFailureCode = builder.enumType('PanelFailureCode', {
  description: 'Why a panel or a source has no fresh values; more codes may come.',
  values: Object.fromEntries(
    PANEL_FAILURE_CODES.map((code) => [code, { value: code, description: CODE_DESCRIPTIONS[code] }]),
  ),
});

export const PanelFailure = builder.objectRef<PanelFailureShape>('PanelFailure').implement({
  description: 'Why there are no fresh values.',
  fields: (t) => ({
    code: t.expose('code', { type: PanelFailureCode, description: 'For programs' }),
    message: t.exposeString('message', { description: 'For people' }),
    retryAt: t.expose('retryAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Asking again earlier gives the same',
    }),
  }),
});

export const PanelSource = builder.objectRef<PanelSourceShape>('PanelSource').implement({
  description:
    "One connected account behind a panel; `included` tells whether its figures are in the panel's values",
  fields: (t) => ({
    label: t.exposeString('label', { description: 'Its name, for people' }),
    state: t.expose('state', { type: PanelState, description: 'How far its figures can be trusted' }),
    asOf: t.expose('asOf', { type: 'DateTime', nullable: true, description: 'When its figures were true' }),
    failure: t.expose('failure', {
      type: PanelFailure,
      nullable: true,
      description: 'Why it is FAILED or STALE',
    }),
    included: t.exposeBoolean('included', { description: 'Whether its figures count in the panel' }),
  }),
});

const TYPE_NAMES: Readonly<Record<PanelKeyValue, string>> = {
  revenue: 'RevenuePanel',
  traffic: 'TrafficPanel',
  ads: 'AdsPanel',
  social: 'SocialPanel',
  email: 'EmailPanel',
  support: 'SupportPanel',
};

/** What every panel tells besides its figures. */
export const Panel = builder.interfaceRef<PanelReading<unknown>>('Panel').implement({
  description: 'Values are null, and lists empty, unless READY or STALE',
  resolveType: (reading) => TYPE_NAMES[reading.key],
  fields: (t) => ({
    key: t.expose('key', { type: PanelKey, description: 'Which one it is' }),
    state: t.expose('state', { type: PanelState, description: 'How far its values can be trusted' }),
    asOf: t.expose('asOf', {
      type: 'DateTime',
      nullable: true,
      description: 'When the shown values were true',
    }),
    failure: t.expose('failure', {
      type: PanelFailure,
      nullable: true,
      description: 'Why it is FAILED or STALE',
    }),
    refreshJob: t.prismaField({
      type: 'Job',
      nullable: true,
      description: 'The job that is filling this panel now, if one is',
      resolve: (query, { refreshJobId: id }, _args, { prisma, principal }) =>
        id
          ? prisma.job.findFirst({ ...query, where: { id, organizationId: principal.organization.id } })
          : null,
    }),
    sources: t.expose('sources', { type: [PanelSource], description: 'The accounts behind it' }),
  }),
});
