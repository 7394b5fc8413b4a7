import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

/** Says in a request's `accept-encoding` what can be unpacked. */
export const ENCODINGS = 'gzip, deflate, br';

/** Beyond the limit of what comes out: packing what cannot be made smaller adds a little */
const PACKED_EXTRA_BYTES = 64 * 1024;

/** The server packed its answer in a way that it was not asked for. */
export class UnknownEncodingError extends Error {
  override readonly name = 'UnknownEncodingError';
}

export interface LimitedBody {
  readonly body: Buffer;
  /** There was more than the limit */
  readonly truncated: boolean;
}

/**
 * Reads a body up to `bytesMax`, counted where the bytes come out of the unpacking: of an answer that would unpack to
 * gigabytes only so much is ever unpacked. The connection of an answer that has more is closed.
 * @param unpack as `content-encoding` says
 */
export async function readLimited(
  response: IncomingMessage,
  { bytesMax, unpack }: { readonly bytesMax: number; readonly unpack: boolean },
): Promise<LimitedBody> {
  const unpacking = unpack ? unpackingOf(response) : null;
  if (!unpacking) return take(response, bytesMax);
  const came = { bytes: 0 };
  try {
    // What goes wrong is thrown where the bytes are read.
    pipeline(counted(response, came, bytesMax + PACKED_EXTRA_BYTES), unpacking, () => undefined);
    return await take(unpacking, bytesMax);
  } catch (error) {
    // Answers to HEAD, and those without content, say how it would be packed.
    if (response.complete && came.bytes === 0) return { body: Buffer.alloc(0), truncated: false };
    throw error;
  } finally {
    response.destroy();
  }
}

async function take(stream: Readable, bytesMax: number): Promise<LimitedBody> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    const data = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    chunks.push(data.subarray(0, bytesMax - bytes));
    bytes += data.byteLength;
    // Leaving the loop destroys the stream.
    if (bytes > bytesMax) return { body: Buffer.concat(chunks), truncated: true };
  }
  return { body: Buffer.concat(chunks), truncated: false };
}

/** Endlessly many bytes may unpack to nothing. */
async function* counted(
  packed: Readable,
  came: { bytes: number },
  bytesMax: number,
): AsyncGenerator<unknown> {
  for await (const chunk of packed) {
    came.bytes += Buffer.isBuffer(chunk) ? chunk.byteLength : 0;
    if (came.bytes > bytesMax) throw new Error(`more than ${bytesMax} packed bytes came`);
    yield chunk;
  }
}

/** Null for bytes that are as they are. */
function unpackingOf(response: IncomingMessage): Transform | null {
  const encoding = response.headers['content-encoding']?.trim().toLowerCase() ?? '';
  switch (encoding) {
    case '':
    case 'identity':
      return null;
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
    default:
      response.destroy();
      throw new UnknownEncodingError(
        `the answer's content-encoding is ${JSON.stringify(encoding.slice(0, 50))}`,
      );
  }
}
