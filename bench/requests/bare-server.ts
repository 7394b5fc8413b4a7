import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { readFileSync } from 'node:fs';
import { createSchema, createYoga } from 'graphql-yoga';
import pg from 'pg';
import { z } from 'zod';
import { answerCommands } from '../live/process.ts';

/** The least that a server of our schema can be: Yoga as it comes, constants, and one query of its own for jobs. */

const listen = z.object({ databaseUrl: z.string(), organizationId: z.string() });
const typeDefs = readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8');

const VIEWER = {
  role: 'MEMBER',
  organization: {
    id: 'org_01h455vb4pex5vsknk084sn02q',
    name: 'Acme',
    timeZone: 'Europe/Berlin',
    currency: 'EUR',
  },
  user: { id: 'usr_01h455vb4pex5vsknk084sn02q', name: 'Ada', email: 'ada@acme.example' },
};

const JOBS = `SELECT id, upper(kind) AS kind, upper(status::text) AS status, queue, triggered_by AS "triggeredBy",
                     created_at AS "createdAt", progress_percent AS "progressPercent"
              FROM jobs WHERE organization_id = $1 AND NOT internal ORDER BY id DESC LIMIT $2`;

answerCommands(async (command) => {
  const { databaseUrl, organizationId } = listen.parse(command);
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 });
  const schema = createSchema({
    typeDefs,
    resolvers: {
      Query: {
        viewer: () => VIEWER,
        async jobs(_root: unknown, { first }: { first: number }) {
          const { rows } = await pool.query<{ id: string }>(JOBS, [organizationId, first + 1]);
          const edges = rows.slice(0, first).map((node) => ({ node, cursor: node.id }));
          return {
            edges,
            pageInfo: { hasNextPage: rows.length > first, endCursor: edges.at(-1)?.cursor ?? null },
          };
        },
      },
      DateTime: { serialize: (value: unknown) => (value instanceof Date ? value.toISOString() : value) },
    },
  });
  const yoga = createYoga({ schema, logging: false, graphiql: false });
  const server = createServer((req, res) => void yoga(req, res));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
});
