import type { InputRef } from '@pothos/core';
import type { JobContract } from '../jobs/define.ts';
import { inputTypeOf } from './zod-input.ts';
import { pascalCase } from './zod-node.ts';

const types = new Map<string, InputRef<unknown>>();

/** The input type of a kind of job: its start mutation and its schedules take the same. */
export function jobInputType(contract: JobContract): InputRef<unknown> {
  const { kind, title, input, startable } = contract;
  const known = types.get(kind);
  if (known) return known;
  const name = `${startable === 'api' ? 'Start' : ''}${pascalCase(kind)}Input`;
  const type = inputTypeOf(name, input, `What "${title}" works on.`);
  types.set(kind, type);
  return type;
}
