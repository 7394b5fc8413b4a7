import { MillraceConnectionError, MillraceError, throwUserErrors } from './errors.ts';
import {
  CreateStagedUploadDocument,
  type CreateStagedUploadInput,
  type CreateStagedUploadMutation,
} from './generated/graphql.ts';
import type { CallOptions, Execute } from './client.ts';
import { isObject, type FetchLike } from './transport.ts';

export type StagedUpload = NonNullable<CreateStagedUploadMutation['createStagedUpload']['upload']>;

/** Anything fetch can send, and streams of Node: a file is never held in memory here. */
export type UploadBody = NonNullable<RequestInit['body']> | AsyncIterable<Uint8Array>;

export interface UploadFileOptions extends CallOptions {
  /** Default: by the filename's ending, else application/octet-stream */
  readonly contentType?: string;
  /** In bytes, if known: a file of another size is refused */
  readonly byteSize?: number;
}

export interface Uploads {
  /** Asks for a place to PUT a file to. @throws MillraceUserError */
  create(input: CreateStagedUploadInput, options?: CallOptions): Promise<StagedUpload>;
  /** Sends the bytes. @throws MillraceError with the server's words when it refuses them */
  put(upload: StagedUpload, body: UploadBody, options?: CallOptions): Promise<void>;
}

export function createUploads(execute: Execute, fetch: FetchLike): Uploads {
  return {
    async create(input, options) {
      const { createStagedUpload: payload } = await execute(CreateStagedUploadDocument, { input }, options);
      throwUserErrors(payload);
      if (!payload.upload) throw new MillraceError('The server made no upload and gave no reason.');
      return payload.upload;
    },
    put: (upload, body, options = {}) => put(fetch, upload, body, options),
  };
}

async function put(
  fetch: FetchLike,
  upload: StagedUpload,
  body: UploadBody,
  { signal }: CallOptions,
): Promise<void> {
  const init: RequestInit & { duplex: 'half' } = {
    method: 'PUT',
    headers: Object.fromEntries(upload.headers.map(({ name, value }) => [name, value])),
    body: toBody(body),
    // Streams are sent while they are read; fetch wants it said.
    duplex: 'half',
    ...(signal ? { signal } : {}),
  };
  const response = await fetch(upload.url, init).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw new MillraceConnectionError(`The upload broke off: ${String(error)}`);
  });
  if (response.ok) {
    await response.arrayBuffer();
    return;
  }
  const refusal: unknown = await response.json().catch(() => null);
  const { message = `HTTP ${response.status}`, code = null } = isObject(refusal) ? refusal : {};
  throw new MillraceError(
    `The upload was refused: ${String(message)}`,
    [],
    typeof code === 'string' ? code : null,
  );
}

function toBody(body: UploadBody): NonNullable<RequestInit['body']> {
  if (typeof body !== 'object' || !(Symbol.asyncIterator in body) || body instanceof ReadableStream)
    return body;
  const chunks = body[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = await chunks.next();
      if (chunk.done) controller.close();
      else controller.enqueue(chunk.value);
    },
    cancel: async (reason) => void (await chunks.return?.(reason)),
  });
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  tsv: 'text/tab-separated-values',
  txt: 'text/plain',
  json: 'application/json',
  xml: 'application/xml',
};

export function contentTypeOf(filename: string): string {
  return CONTENT_TYPES[filename.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'application/octet-stream';
}
