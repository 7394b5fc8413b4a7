import { jobCatalogue } from '../../jobs/index.ts';
import type { JobContract } from '../../jobs/define.ts';
import { startJob } from '../../queue/start.ts';
import { needs } from '../authorization/rules.ts';
import { builder } from '../builder.ts';
import { decodeInput } from '../job-input.ts';
import { jobInputType } from '../job-input-types.ts';
import { pascalCase } from '../zod-node.ts';
import { JobOptions } from './job-options.ts';
import { started, StartJobPayload } from './start-job-payload.ts';

// One mutation per kind that clients may start: name, input and checks come from its contract.
for (const contract of Object.values(jobCatalogue)) {
  if (contract.startable === 'api') addStartMutation(contract);
}

function addStartMutation(contract: JobContract): void {
  const name = `start${pascalCase(contract.kind)}`;
  const type = jobInputType(contract);
  builder.mutationField(name, (t) =>
    t.field({
      extensions: needs('run_jobs'),
      type: StartJobPayload,
      description: `${contract.title}: answers at once with the job, which a worker runs`,
      args: {
        input: t.arg({ type, required: true, description: 'What to work on' }),
        options: t.arg({ type: JobOptions, description: 'When and how to start it' }),
      },
      resolve: (_root, { input, options }, ctx) =>
        started(async () =>
          startJob(ctx.jobs, {
            organizationId: ctx.principal.organization.id,
            kind: contract.kind,
            input: decodeInput(contract.input, input),
            triggeredBy: ctx.principal.triggeredBy,
            options: options ?? {},
          }),
        ),
    }),
  );
}
