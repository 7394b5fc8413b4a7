import type { Document } from 'openapi-backend';
import { z } from 'zod';
import { openApiContract, type Contract } from './contract.ts';
import type { MockRequest } from './mock-server.ts';

/** Reading it takes longer than most tests. */
let contract: Promise<Contract | null> | null = null;

export function zendeskContract(): Promise<Contract | null> {
  contract ??= readContract();
  return contract;
}

/** OAuth is in no specification: the mock alone is strict there. */
async function readContract(): Promise<Contract | null> {
  const api = await openApiContract('zendesk/zendesk-support-oas.trimmed.json', mend);
  if (!api) return null;
  const isOAuth = ({ path }: MockRequest): boolean => path.startsWith('/oauth/');
  return {
    problemsOfRequest: (request) => (isOAuth(request) ? [] : api.problemsOfRequest(request)),
    problemsOfAnswer: (request, answer) => (isOAuth(request) ? [] : api.problemsOfAnswer(request, answer)),
  };
}

/**
 * The copy of the specification says that `start_time` goes with every `cursor`, and leaves out what the documentation
 * has for this export: `per_page`, `include`, and the status of tickets that are gone.
 */
function mend(document: Document): Document {
  const own = z.object({
    components: z.object({
      parameters: z.object({ IncrementalUnixTime: z.looseObject({ required: z.boolean() }) }),
      schemas: z.object({
        TicketObject: z.looseObject({
          properties: z.looseObject({ status: z.looseObject({ enum: z.array(z.string()) }) }),
        }),
      }),
    }),
    paths: z.record(z.string(), z.looseObject({ parameters: z.array(z.unknown()).optional() })),
  });
  const { components, paths } = own.parse(document);
  const relaxed = { ...components.parameters.IncrementalUnixTime, required: false };
  const { properties } = components.schemas.TicketObject;
  const path = '/api/v2/incremental/tickets/cursor';
  const more = [
    { name: 'per_page', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 1_000 } },
    { name: 'include', in: 'query', schema: { type: 'string' } },
  ];
  const given = paths[path]?.parameters ?? [];
  Object.assign(document.components?.parameters ?? {}, { IncrementalUnixTime: relaxed });
  Object.assign(properties.status, { enum: [...properties.status.enum, 'deleted'] });
  Object.assign(document.components?.schemas ?? {}, { TicketObject: components.schemas.TicketObject });
  Object.assign(document.paths?.[path] ?? {}, { parameters: [...given, ...more] });
  return document;
}
