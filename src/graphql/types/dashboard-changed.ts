import type { PanelKey as Key } from '../../domain/panel.ts';
import type { PanelState as State } from '../../panels/reading.ts';
import { statesOf } from '../../panels/states.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import type { GraphQLContext } from '../context.ts';
import { expand } from '../expand.ts';
import { PanelKey, PanelState } from './panels/panel.ts';

interface Change {
  readonly key: Key;
  readonly state: State;
}

const DashboardChange = builder.objectRef<Change>('DashboardChange').implement({
  description: 'A panel that is another than before.',
  fields: (t) => ({
    key: t.expose('key', { type: PanelKey, description: 'Which one' }),
    state: t.expose('state', { type: PanelState, description: 'How far its values can be trusted now' }),
  }),
});

builder.subscriptionField('dashboardChanged', (t) =>
  t.field({
    extensions: needs('read'),
    type: DashboardChange,
    description:
      'Which panel to fetch again. A panel that changes all the time is told of a few times a second at most; where word of changes was lost, each panel is told of once',
    subscribe: (_root, _args, ctx) => changesOf(ctx),
    resolve: (change) => change,
  }),
);

function changesOf(ctx: GraphQLContext): AsyncIterableIterator<Change> {
  const { organization } = ctx.principal;
  return expand(ctx.streams.panelChanges(organization.id), async (keys) => {
    const states = await statesOf(ctx.db, organization.id, keys, ctx.clock.now());
    return keys.map((key) => ({ key, state: states.get(key) ?? 'NOT_CONNECTED' }));
  });
}
