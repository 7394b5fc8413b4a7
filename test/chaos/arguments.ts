import { parseArgs } from 'node:util';
import { z } from 'zod';
import { StartError } from '../../src/lib/entry.ts';
import { BACKENDS, type Backend, type Fault, type Scale } from './fault.ts';

/** What one call of `npm run chaos` is to do. */
export interface Plan {
  readonly scale: Scale;
  readonly cases: readonly { readonly fault: Fault; readonly backend: Backend }[];
}

const given = z.object({
  fault: z.array(z.string()).default([]),
  broker: z.enum(BACKENDS).optional(),
  short: z.boolean().default(false),
});

/** @throws StartError that names what there is */
export function readPlan(args: readonly string[], faults: readonly Fault[]): Plan {
  const wanted = parse(args);
  const names = faults.map(({ name }) => name);
  const unknown = wanted.fault.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new StartError(`expected the name of a fault, one of ${names.join(', ')}, got ${unknown}`);
  const cases = faults
    .filter(({ name }) => wanted.fault.length === 0 || wanted.fault.includes(name))
    .flatMap((fault) => fault.backends.map((backend) => ({ fault, backend })))
    .filter(({ backend }) => wanted.broker === undefined || backend === wanted.broker);
  if (cases.length === 0)
    throw new StartError(`${wanted.fault.join(', ')} cannot happen on ${wanted.broker}`);
  return { scale: wanted.short ? 'short' : 'full', cases };
}

function parse(args: readonly string[]): z.infer<typeof given> {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        fault: { type: 'string', multiple: true },
        broker: { type: 'string' },
        short: { type: 'boolean' },
      },
    });
    return given.parse(values);
  } catch (error) {
    const usage = `npm run chaos -- [--fault <name>]… [--broker ${BACKENDS.join('|')}] [--short]`;
    throw new StartError(`usage: ${usage}`, { cause: error });
  }
}
