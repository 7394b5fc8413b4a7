import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OpenAPIBackend, type Document, type ValidationResult } from 'openapi-backend';
import { readTestEnvironment } from '../environment.ts';
import type { MockAnswer, MockRequest } from './mock-server.ts';

/** What a provider's specification says of requests and answers. */
export interface Contract {
  problemsOfRequest(request: MockRequest): string[];
  problemsOfAnswer(request: MockRequest, answer: MockAnswer): string[];
}

type SpecificationError = NonNullable<ValidationResult['errors']>[number];

/** A file of the providers' specifications, as text; null where the tests have none. */
export async function readSpecification(path: string): Promise<string | null> {
  const { specsFolder } = readTestEnvironment();
  return specsFolder === null ? null : readFile(join(specsFolder, path), 'utf8');
}

/**
 * The contract of an OpenAPI document below SPECS_DIR; null where the tests have none. An operation is compiled when it is
 * first asked for, which takes Stripe's larger ones seconds; who is expected to be signed in is for the mock to check.
 * @param adapt mends what is known to be wrong in the copy of the document
 */
export async function openApiContract(
  path: string,
  adapt: (document: Document) => Document = (document) => document,
): Promise<Contract | null> {
  const text = await readSpecification(path);
  if (text === null) return null;
  const parsed: unknown = JSON.parse(text);
  const api = new OpenAPIBackend({
    definition: adapt(parsed as Document),
    quick: true,
    ajvOpts: { strict: false, validateFormats: false },
  });
  await api.init();
  const where = ({ method, path: at }: MockRequest): string => `${method} ${at}`;
  const operationOf = (request: MockRequest) => api.router.matchOperation(toWire(request));
  return {
    problemsOfRequest(request) {
      const operation = operationOf(request);
      if (!operation) return [`${where(request)}: the specification has no such operation`];
      const { errors } = api.validateRequest(toWire(request), operation);
      return (errors ?? []).map((error) => `${where(request)}: ${inWords(error)}`);
    },
    problemsOfAnswer(request, { status = 200, json }) {
      const operation = operationOf(request);
      if (!operation || status >= 400) return [];
      const { errors } = api.validateResponse(json, operation, status);
      return (errors ?? []).map((error) => `answer to ${where(request)}: ${inWords(error)}`);
    },
  };
}

/** With its parameters: which field was not to be there, which values are allowed. */
function inWords({ instancePath, message = '', params }: SpecificationError): string {
  return `${instancePath} ${message} ${JSON.stringify(params)}`;
}

function toWire({ method, path, query, headers, body }: MockRequest) {
  return { method, path, query: query.toString(), headers: { ...headers }, body };
}
