import { z } from 'zod';
import { UserFacingError, type UserError } from '../domain/errors.ts';
import { SCHEDULE_NAME_LENGTH_MAX } from '../domain/schedule.ts';
import type { JobCatalogue } from '../jobs/define.ts';
import type { Sql } from '../repositories/db.ts';
import { isNameTaken } from '../repositories/schedules.ts';
import { checkReferences } from './input-references.ts';
import { checkStart } from './new-job.ts';

/** What a schedule starts, and where its caller's arguments say so. */
export interface ScheduledJob {
  readonly kind: string;
  readonly input: unknown;
  readonly path: readonly string[];
}

const NAME = ['input', 'name'];

const nameText = z
  .string()
  .trim()
  .min(1, 'Expected a name.')
  .max(SCHEDULE_NAME_LENGTH_MAX, `Expected at most ${SCHEDULE_NAME_LENGTH_MAX} characters.`)
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'Expected a name without control characters.');

/** @param target the schedule that gets the name. @throws UserFacingError */
export async function checkName(
  sql: Sql,
  { organizationId, id }: { readonly organizationId: string; readonly id: string },
  text: string,
): Promise<string> {
  const parsed = nameText.safeParse(text);
  if (!parsed.success)
    throw new UserFacingError(
      parsed.error.issues.map(({ message }) => ({ code: 'INVALID', field: NAME, message })),
    );
  const name = parsed.data;
  if (await isNameTaken(sql, organizationId, name, id))
    throw UserFacingError.of('CONFLICT', NAME, `There is a schedule called "${name}" already.`);
  return name;
}

/** The job's input as its contract parses it; errors stand where the caller's arguments have it. */
export async function checkJob(
  sql: Sql,
  catalogue: JobCatalogue,
  organizationId: string,
  { kind, input, path }: ScheduledJob,
): Promise<{ kind: string; version: number; input: unknown }> {
  try {
    const { contract, job } = checkStart(catalogue, { organizationId, kind, input, triggeredBy: 'schedule' });
    await checkReferences(sql, { organizationId, schema: contract.input, input: job.input });
    return { kind: job.kind, version: job.version, input: job.input };
  } catch (error) {
    if (!(error instanceof UserFacingError)) throw error;
    throw new UserFacingError(error.errors.map((each) => ({ ...each, field: below(path, each) })));
  }
}

/** `input.source.uploadId` of a start as the path of a schedule's argument. */
function below(path: readonly string[], { field }: UserError): readonly string[] {
  return [...path, ...(field ?? []).slice(1)];
}

/** Gathers what several checks find, so that a caller is told all of it at once. */
export class Mistakes {
  private readonly found: UserError[] = [];

  /** @returns what the check gives, or null for a mistake that is kept for `all` */
  async in<T>(check: () => T | Promise<T>): Promise<T | null> {
    try {
      return await check();
    } catch (error) {
      if (!(error instanceof UserFacingError)) throw error;
      this.found.push(...error.errors);
      return null;
    }
  }

  all(): UserFacingError {
    return new UserFacingError(this.found);
  }
}
