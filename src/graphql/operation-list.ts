import { readFile } from 'node:fs/promises';
import { parse, validate } from 'graphql';
import { z } from 'zod';
import { toError } from '../lib/abort.ts';
import { StartError } from '../lib/entry.ts';
import { operationId, PersistedOperations, sha256, type OperationList } from './persisted-operations.ts';
import { schema } from './schema.ts';

/** `{ "<id>": "<document>" }`, as graphql-codegen and Relay write it. */
const map = z.record(z.string(), z.string());
/** https://www.apollographql.com/docs/graphos/platform/security/persisted-queries#manifest-format */
const manifest = z.object({
  format: z.literal('apollo-persisted-query-manifest'),
  operations: z.array(z.object({ id: z.string(), body: z.string() })),
});

interface OperationFiles {
  readonly files: readonly string[];
  readonly isExclusive: boolean;
}

/**
 * What clients' tools have listed in files, beside what our own clients send.
 * @throws StartError that names the file and what is wrong with it
 */
export async function openPersistedOperations(
  { files, isExclusive }: OperationFiles,
  ours: readonly string[],
): Promise<PersistedOperations> {
  const lists = await Promise.all(files.map(async (file) => readOperationList(await contentOf(file), file)));
  const known = listOf(ours.map((text) => [null, text] as const));
  const operations = new Map([known, ...lists].flatMap((list) => [...list]));
  return new PersistedOperations({ operations, isExclusive });
}

function contentOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new StartError(`PERSISTED_OPERATIONS: ${file} cannot be read: ${toError(error).message}`);
  });
}

/**
 * The operations of a client's file, each under the name that the file gives it and under its SHA-256.
 * @param name of the file, for people
 * @throws StartError that names what is wrong: an operation that this schema does not know would fail later, at a user's
 */
export function readOperationList(content: string, name: string): OperationList {
  const entries = entriesOf(content, name);
  for (const [id, text] of entries) {
    const mistake = mistakeIn(text);
    if (mistake !== null) throw new StartError(`${name}: operation ${id}: ${mistake}`);
  }
  return listOf(entries);
}

/** Texts that are known without a file. */
function listOf(entries: readonly (readonly [id: string | null, text: string])[]): OperationList {
  return new Map(
    entries.flatMap(([id, text]) => [
      ...(id === null ? [] : [[operationId(id), text] as const]),
      [sha256(text), text] as const,
    ]),
  );
}

function entriesOf(content: string, name: string): readonly (readonly [string, string])[] {
  const json = parseJson(content);
  const asManifest = manifest.safeParse(json);
  if (asManifest.success) return asManifest.data.operations.map(({ id, body }) => [id, body]);
  const asMap = map.safeParse(json);
  if (asMap.success) return Object.entries(asMap.data);
  throw new StartError(`${name}: expected JSON of ids and documents, or a manifest of Apollo's tools.`);
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return null;
  }
}

function mistakeIn(text: string): string | null {
  try {
    return validate(schema, parse(text))[0]?.message ?? null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
