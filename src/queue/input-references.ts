import { z } from 'zod';
import { UserFacingError, type UserError } from '../domain/errors.ts';
import type { IdType } from '../domain/ids.ts';
import type { Sql, Tx } from '../repositories/db.ts';
import { connectionProblem } from '../repositories/connection-lists.ts';
import { filesOfJob } from '../repositories/files.ts';
import { keepScheduleUploads, uploadProblem } from '../repositories/uploads.ts';

/** What an input may name: a row of ours, or the file of rejected rows of a job. */
type ReferenceType = IdType | 'rejectedRows';

/** A uuid inside a job's input: a schema node with `.meta({ idOf: … })`, or `.meta({ reads: … })` where only we write it. */
interface Reference {
  readonly type: ReferenceType;
  readonly id: string;
  readonly field: readonly string[];
}

/** Says what is wrong with a reference, or null. One entry per type of object that an input may name. */
type Check = (sql: Sql, organizationId: string, reference: Reference) => Promise<UserError | null>;

const CHECKS: Partial<Record<ReferenceType, Check>> = {
  upload: checkUpload,
  rejectedRows: checkRejectedRows,
  connection: checkConnection,
};

const referenceMeta = z.union([
  z.object({ idOf: z.string() }).transform(({ idOf }) => idOf),
  z.object({ reads: z.string() }).transform(({ reads }) => reads),
]);

/** An input, what it must look like, and whose it is. */
interface OwnedInput {
  readonly organizationId: string;
  readonly schema: z.ZodType;
  readonly input: unknown;
}

/** @throws UserFacingError that names every reference which is missing, another organization's or no longer usable */
export function checkReferences(sql: Sql, owned: OwnedInput): Promise<void> {
  return check(sql, owned.organizationId, referencesIn(owned.schema, owned.input, ['input']));
}

/** As `checkReferences`, but for uploads: the statement that inserts a job looks at those itself. */
export function checkReferencesBesideUploads(sql: Sql, owned: OwnedInput): Promise<void> {
  const found = referencesIn(owned.schema, owned.input, ['input']).filter(({ type }) => type !== 'upload');
  return check(sql, owned.organizationId, found);
}

async function check(sql: Sql, organizationId: string, found: readonly Reference[]): Promise<void> {
  const errors = await Promise.all(
    found.map((reference) => {
      const checkOne = CHECKS[reference.type];
      if (!checkOne) throw new Error(`no check is known for references to ${reference.type}`);
      return checkOne(sql, organizationId, reference);
    }),
  );
  const wrong = errors.filter((error) => error !== null);
  if (wrong.length > 0) throw new UserFacingError(wrong);
}

/** The uploads that an input names. */
export function uploadsIn(schema: z.ZodType, input: unknown): string[] {
  return referencesIn(schema, input, ['input']).flatMap(({ type, id }) => (type === 'upload' ? [id] : []));
}

function referencesIn(schema: z.ZodType, value: unknown, field: readonly string[]): Reference[] {
  if (value === null || value === undefined) return [];
  const named = referenceMeta.safeParse(schema.meta());
  if (named.success && typeof value === 'string') return [{ type: typeOf(named.data), id: value, field }];
  if (schema instanceof z.ZodObject && typeof value === 'object') {
    const values = new Map<string, unknown>(Object.entries(value));
    const shape: Readonly<Record<string, z.core.$ZodType>> = schema.shape;
    return Object.entries(shape).flatMap(([key, inner]) =>
      referencesIn(schemaOf(inner), values.get(key), [...field, key]),
    );
  }
  if (schema instanceof z.ZodUnion) {
    const option = schema.options.map(schemaOf).find((candidate) => candidate.safeParse(value).success);
    return option ? referencesIn(option, value, field) : [];
  }
  if (schema instanceof z.ZodArray && Array.isArray(value)) {
    return value.flatMap((inner, index) =>
      referencesIn(schemaOf(schema.element), inner, [...field, String(index)]),
    );
  }
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault) {
    return referencesIn(schemaOf(schema.unwrap()), value, field);
  }
  return [];
}

function schemaOf(node: z.core.$ZodType): z.ZodType {
  if (node instanceof z.ZodType) return node;
  throw new Error('a job input is made of plain zod schemas only');
}

function typeOf(name: string): ReferenceType {
  if (name in CHECKS) return z.custom<ReferenceType>((type) => type === name).parse(name);
  throw new Error(`no check is known for references to ${name}`);
}

async function checkUpload(
  sql: Sql,
  organizationId: string,
  { id, field }: Reference,
): Promise<UserError | null> {
  const problem = await uploadProblem(sql, organizationId, id);
  return problem && { code: UPLOAD_CODES[problem], field, message: UPLOAD_MESSAGES[problem] };
}

async function checkConnection(
  sql: Sql,
  organizationId: string,
  { id, field }: Reference,
): Promise<UserError | null> {
  const problem = await connectionProblem(sql, organizationId, id);
  return problem && { field, ...CONNECTION_PROBLEMS[problem] };
}

const CONNECTION_PROBLEMS = {
  missing: { code: 'NOT_FOUND', message: 'There is no such connection.' },
  paused: { code: 'CONFLICT', message: 'The connection is paused. Resume it first.' },
  refused: {
    code: 'NOT_CONNECTED',
    message: 'The account refuses the credentials. Reconnect it with new ones.',
  },
} as const;

async function checkRejectedRows(
  sql: Sql,
  organizationId: string,
  { id, field }: Reference,
): Promise<UserError | null> {
  const files = await filesOfJob(sql, organizationId, id);
  if (files.some(({ role }) => role === 'rejected_rows')) return null;
  return { code: 'EXPIRED', field, message: 'The rejected rows are no longer kept. Upload the file again.' };
}

const UPLOAD_CODES = { missing: 'NOT_FOUND', expired: 'EXPIRED', empty: 'INVALID' } as const;
const UPLOAD_MESSAGES = {
  missing: 'There is no such upload.',
  expired: 'The uploaded file is no longer kept. Upload it again.',
  empty: 'Nothing has been uploaded yet: PUT the file to the URL of the upload first.',
};

/**
 * Ties a schedule to the uploads that its input names, in the transaction that writes it: they are kept as long as it.
 * @throws UserFacingError for one that has gone since it was checked
 */
export async function keepForSchedule(
  tx: Tx,
  schema: z.ZodType,
  schedule: { readonly id: string; readonly organizationId: string; readonly input: unknown },
): Promise<void> {
  const ids = uploadsIn(schema, schedule.input);
  if (await keepScheduleUploads(tx, schedule.organizationId, schedule.id, ids)) return;
  throw UserFacingError.of('EXPIRED', ['input'], UPLOAD_MESSAGES.expired);
}
