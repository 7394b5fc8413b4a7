import { refreshPanels } from '../../connections/refresh.ts';
import type { UserError as UserErrorShape } from '../../domain/errors.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import type { WithUserErrors } from '../errors.ts';
import { Job } from './job.ts';
import { PanelKey } from './panels/panel.ts';
import { UserError } from './user-error.ts';

interface Refreshed extends WithUserErrors {
  readonly jobIds: readonly string[];
}

const RefreshPanelsPayload = builder.objectRef<Refreshed>('RefreshPanelsPayload').implement({
  description: 'What fills the panels now.',
  fields: (t) => ({
    jobs: t.prismaField({
      type: [Job],
      description: 'One per panel',
      resolve: (query, { jobIds }, _args, { prisma, principal: { organization } }) =>
        prisma.job.findMany({
          ...query,
          where: { organizationId: organization.id, id: { in: [...jobIds] } },
          orderBy: { id: 'asc' },
        }),
    }),
    userErrors: t.field({
      type: [UserError],
      description: 'Panels that were asked for and cannot be filled; the others are',
      resolve: ({ userErrors }): UserErrorShape[] => [...userErrors],
    }),
  }),
});

builder.mutationField('refreshPanels', (t) =>
  t.field({
    extensions: needs('run_jobs'),
    type: RefreshPanelsPayload,
    description:
      'Starts what fills these panels: their accounts are read, and their rollups made anew. A panel that is being filled already gives its running job',
    args: {
      keys: t.arg({ type: [PanelKey], description: 'Which; absent: all that have a source' }),
    },
    async resolve(_root, { keys }, { jobs, principal: { organization, triggeredBy } }): Promise<Refreshed> {
      const { jobIds, errors } = await refreshPanels(jobs, {
        organizationId: organization.id,
        triggeredBy,
        panels: keys ?? null,
      });
      return { jobIds, userErrors: errors };
    },
  }),
);
