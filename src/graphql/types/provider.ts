import { z } from 'zod';
import { FEEDS, panelOf, type Feed } from '../../domain/panel.ts';
import type { Connector } from '../../connectors/connector.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import { PanelKey } from './panels/panel.ts';

interface EntityShape {
  readonly name: string;
  readonly title: string;
  readonly feeds: Feed | null;
}

const ProviderEntity = builder.objectRef<EntityShape>('ProviderEntity').implement({
  description: 'One kind of thing that a provider has.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'As `startConnectorSync` takes it' }),
    title: t.exposeString('title', { description: 'For people' }),
    panel: t.field({
      type: PanelKey,
      nullable: true,
      description: 'The panel that it is for; null: none',
      resolve: ({ feeds }) => feeds && panelOf(feeds),
    }),
  }),
});

/** As far as JSON Schema can say it: what only our parser knows is told when an account is connected. */
function jsonSchemaOf(schema: z.ZodType): object {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
}

const Provider = builder.objectRef<Connector>('Provider').implement({
  description: 'Somebody at whom accounts can be connected.',
  fields: (t) => ({
    name: t.exposeString('provider', { description: 'As `connectAccount` takes it: "google_analytics"' }),
    title: t.exposeString('title', { description: 'For people' }),
    configSchema: t.field({
      type: 'JSON',
      description: 'JSON Schema of what `connectAccount` takes as `config`: what is no secret',
      resolve: ({ config }) => jsonSchemaOf(config),
    }),
    credentialsSchema: t.field({
      type: 'JSON',
      description:
        'JSON Schema of what `connectAccount` takes as `credentials`: stored encrypted, shown to nobody',
      resolve: ({ credentials }) => jsonSchemaOf(credentials),
    }),
    entities: t.field({
      type: [ProviderEntity],
      description: 'What is read of an account',
      resolve: ({ entities }) =>
        Object.entries(entities).map(([name, { title, feeds }]) => ({ name, title, feeds })),
    }),
    hasWebhook: t.boolean({
      description: 'Whether it can tell us of changes, so that they are read at once',
      resolve: ({ webhook }) => webhook !== null,
    }),
    canBegin: t.boolean({
      description:
        'Whether `beginConnect` works here: it knows OAuth, and whoever runs this server registered an app at it',
      resolve: ({ provider, oauth }, _args, ctx) => oauth !== null && Object.hasOwn(ctx.oauth.apps, provider),
    }),
    scopes: t.stringList({
      description: "What `beginConnect` asks for, in the provider's words; empty where it has none",
      resolve: ({ oauth }) => [...(oauth?.scopes ?? [])],
    }),
  }),
});

builder.queryField('providers', (t) =>
  t.field({
    extensions: needs('read'),
    type: [Provider],
    description: 'At whom accounts can be connected, in the order of the names',
    resolve: (_root, _args, { connections }) =>
      Object.values(connections.connectors).toSorted((a, b) => (a.provider < b.provider ? -1 : 1)),
  }),
);

/** A stored feed, as this release knows it. */
export function feedOf(stored: string | null): Feed | null {
  return FEEDS.find((feed) => feed === stored) ?? null;
}
