import { afterAll, beforeAll, expect, test } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { mutate } from './mutate.ts';
import { OperationMaker, type Operation } from './operation.ts';
import type { Random } from './random.ts';
import { FuzzTarget, type Finding } from './target.ts';
import { faultsOf, type Answer } from './verdict.ts';

/** Until caches of documents, plans and connections are full */
const WARM_UP = { operations: 2_000, spoilt: 3_000 };
const OPERATIONS = 4_500;
const SPOILT = 4_000;
/** What caches, pools and the engine's own tables may still grow by, in 10^6 bytes */
const HEAP_GROWTH_MAX = 25;

let target: FuzzTarget;
/** Operations that were executed, not refused */
let taken = 0;
beforeAll(async () => {
  target = await FuzzTarget.start();
}, 60_000);
afterAll(() => target.close());

async function post(body: string): Promise<Answer> {
  const response = await fetch(target.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, multipart/mixed',
      authorization: `Bearer ${target.token}`,
    },
    body,
    signal: AbortSignal.timeout(30_000),
  });
  return { status: response.status, body: await response.text() };
}

function generate(random: Random): Operation {
  const maker = new OperationMaker(schema, random, target.ids);
  return maker.make(random.chance(0.7) ? 'query' : random.chance(0.9) ? 'mutation' : 'subscription');
}

async function ask(body: string): Promise<Finding> {
  const answer = await post(body);
  if (/^\{"data":\{/.test(answer.body)) taken += 1;
  return { faults: faultsOf(answer), sent: body };
}

const ofOperation = ({ query, variables }: Operation): string =>
  `{"query":${JSON.stringify(query)},"variables":${variables}}`;

/** A document, its variables or the whole body, spoilt. */
function spoilt(random: Random): string {
  const operation = generate(random);
  switch (random.int(3)) {
    case 0:
      return ofOperation({ ...operation, query: mutate(operation.query, random) });
    case 1:
      return ofOperation({ ...operation, variables: mutate(operation.variables, random) });
    default:
      return mutate(ofOperation(operation), random);
  }
}

const makeOperation = (random: Random): Promise<Finding> => ask(ofOperation(generate(random)));

const askSpoilt = (random: Random): Promise<Finding> => ask(spoilt(random));

test(
  `${WARM_UP.operations + OPERATIONS} operations made from the schema with hostile values, and ${WARM_UP.spoilt + SPOILT} spoilt ones: no crash, no defect, no leak, no growth`,
  { timeout: 300_000 },
  async () => {
    const found = await target.run('first operation', WARM_UP.operations, makeOperation);
    found.push(...(await target.run('first spoilt one', WARM_UP.spoilt, askSpoilt)));
    const before = await target.heapMegabytes();
    found.push(...(await target.run('operation', OPERATIONS, makeOperation)));
    found.push(...(await target.run('spoilt one', SPOILT, askSpoilt)));
    const after = await target.heapMegabytes();
    process.stdout.write(
      `fuzz: heap ${before.toFixed(0)} MB after warm-up, ${after.toFixed(0)} MB at the end; ${taken} operations were executed\n`,
    );
    expect(found).toEqual([]);
    expect(after - before).toBeLessThan(HEAP_GROWTH_MAX);
  },
);
