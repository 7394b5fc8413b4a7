import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { newUuid, toPublicId } from '../domain/ids.ts';
import { storageKey } from '../domain/storage-key.ts';
import { toError } from '../lib/abort.ts';
import { systemClock } from '../lib/clock.ts';
import { forgetRemovals, planRemoval } from '../repositories/storage-removals.ts';
import { findUpload, markUploadReceived, type Upload } from '../repositories/uploads.ts';
import { UPLOAD_CLAIMS } from '../secrets/index.ts';
import { StorageTooLargeError, type StoredObject } from '../storage/storage.ts';
import { IDLE_TIMEOUT_MS, type FileRouteDeps } from './deps.ts';
import { refuse, replyJson, type Refusal } from './reply.ts';
import { notFound, urlOf, verifySigned } from './signed-request.ts';

const PATH = /^\/uploads\/[^/]+$/;
/** The signature is all that a caller needs: no cookie is read, so any site may be told the answer. */
const CORS = { 'Access-Control-Allow-Origin': '*' };

/** `PUT /uploads/<id>?<signature>`: the body goes to storage as it comes. @returns false for other paths */
export function createUploadHandler(
  deps: FileRouteDeps,
): (req: IncomingMessage, res: ServerResponse) => Promise<boolean> {
  return async (req, res) => {
    const url = urlOf(req);
    if (!url || !PATH.test(url.pathname)) return false;
    res.on('error', (error) => deps.log.debug({ err: error }, 'the answer to an upload was not taken'));
    if (req.method === 'OPTIONS') preflight(res);
    else await receive(deps, req, res, url);
    return true;
  };
}

function preflight(res: ServerResponse): void {
  res.writeHead(204, {
    ...CORS,
    'Access-Control-Allow-Methods': 'PUT',
    'Access-Control-Allow-Headers': 'content-type',
    'Access-Control-Max-Age': '86400',
  });
  res.end();
}

async function receive(
  deps: FileRouteDeps,
  req: IncomingMessage,
  res: ServerResponse,
  url: URL,
): Promise<void> {
  try {
    const result = await take(deps, req, url);
    if ('status' in result) {
      refuse(req, res, { ...result, headers: { ...CORS, ...result.headers } });
      return;
    }
    replyJson(res, 201, result, CORS);
  } catch (error) {
    if (req.destroyed && !req.complete) {
      deps.log.info({ err: error }, 'a client broke off its upload');
      return;
    }
    deps.log.error({ err: error }, 'an upload failed');
    refuse(req, res, {
      status: 500,
      code: 'INTERNAL',
      message: 'The file could not be stored. Try again.',
      headers: CORS,
    });
  }
}

interface Receipt extends StoredObject {
  readonly id: string;
}

async function take(deps: FileRouteDeps, req: IncomingMessage, url: URL): Promise<Receipt | Refusal> {
  if (req.method !== 'PUT') return notAllowed();
  const target = verifySigned(deps, url, 'upload', UPLOAD_CLAIMS);
  if ('status' in target) return target;
  const upload = await findUpload(deps.db, target.organizationId, target.id);
  if (!upload) return notFound('upload');
  const refusal = refusalOf(deps, upload, req);
  if (refusal) return refusal;
  return store(deps, req, upload);
}

/** What can be told before the first byte is read. */
function refusalOf(
  { limits, clock = systemClock }: FileRouteDeps,
  upload: Upload,
  req: IncomingMessage,
): Refusal | null {
  const { 'content-length': length, 'content-encoding': encoding } = req.headers;
  if (upload.receivedAt) return usedBefore();
  if (upload.expiresAt && upload.expiresAt <= clock.now()) return expired(upload.expiresAt);
  if (encoding && encoding !== 'identity') return encoded(encoding);
  const { declaredBytes } = upload;
  if (declaredBytes !== null && declaredBytes > limits.uploadBytesMax) return tooLarge(limits.uploadBytesMax);
  if (length === undefined) return null;
  const announced = Number(length);
  if (announced > limits.uploadBytesMax) return tooLarge(limits.uploadBytesMax);
  return declaredBytes !== null && announced !== declaredBytes ? otherSize(declaredBytes, announced) : null;
}

async function store(deps: FileRouteDeps, req: IncomingMessage, upload: Upload): Promise<Receipt | Refusal> {
  const { organizationId, id, declaredBytes } = upload;
  const maxBytes = declaredBytes ?? deps.limits.uploadBytesMax;
  const key = storageKey(organizationId, 'uploads', newUuid());
  // A process that dies before the upload names its bytes leaves nothing behind.
  await planRemoval(deps.db, key);
  const body = readBody(req, deps.limits.idleTimeoutMs ?? IDLE_TIMEOUT_MS);
  const stored = await deps.storage.put(key, body.stream, { maxBytes, signal: body.signal }).catch(toError);
  body.stop();
  if (stored instanceof StorageTooLargeError) {
    return declaredBytes === null ? tooLarge(maxBytes) : otherSize(declaredBytes, 'more');
  }
  if (stored instanceof Error) {
    if (body.signal.reason instanceof IdleError) return tooSlow(body.signal.reason);
    throw stored;
  }
  const refusal = await accept(deps, upload, stored, key);
  if (refusal) await discard(deps, key);
  return refusal ?? { id: toPublicId('upload', id), byteSize: stored.byteSize, sha256: stored.sha256 };
}

async function discard({ db, storage }: FileRouteDeps, key: string): Promise<void> {
  await storage.remove(key);
  await forgetRemovals(db, [key]);
}

async function accept(
  deps: FileRouteDeps,
  upload: Upload,
  stored: StoredObject,
  key: string,
): Promise<Refusal | null> {
  const { organizationId, id, declaredBytes } = upload;
  if (declaredBytes !== null && stored.byteSize !== declaredBytes)
    return otherSize(declaredBytes, stored.byteSize);
  const first = await markUploadReceived(deps.db, organizationId, id, { ...stored, storageKey: key });
  return first ? null : usedBefore();
}

class IdleError extends Error {
  override readonly name = 'IdleError';
  readonly timeoutMs: number;
  constructor(timeoutMs: number) {
    super(`not one byte in ${timeoutMs} ms`);
    this.timeoutMs = timeoutMs;
  }
}

/**
 * The body as a stream that storage may destroy without cutting the connection, over which the answer still has to
 * go. The signal fires when the client is gone or silent.
 */
function readBody(
  req: IncomingMessage,
  idleTimeoutMs: number,
): { stream: PassThrough; signal: AbortSignal; stop: () => void } {
  const stream = new PassThrough();
  const ended = new AbortController();
  const idle = setTimeout(() => ended.abort(new IdleError(idleTimeoutMs)), idleTimeoutMs);
  const onData = (): unknown => idle.refresh();
  const onClose = (): void => {
    if (!req.complete) ended.abort(new Error('the client closed the connection'));
  };
  // `close` tells the same, and is not missed when it came before.
  req.on('error', onClose);
  req.on('close', onClose);
  req.on('data', onData);
  if (req.destroyed) onClose();
  req.pipe(stream);
  const stop = (): void => {
    clearTimeout(idle);
    req.unpipe(stream);
    req.off('data', onData);
    req.off('close', onClose);
  };
  return { stream, signal: ended.signal, stop };
}

function notAllowed(): Refusal {
  const message = 'Send the file with PUT.';
  return { status: 405, code: 'METHOD_NOT_ALLOWED', message, headers: { Allow: 'PUT, OPTIONS' } };
}

function usedBefore(): Refusal {
  return {
    status: 409,
    code: 'CONFLICT',
    message: 'A file was uploaded here before. Create a new upload for another.',
  };
}

function expired(expiresAt: Date): Refusal {
  const message = `This upload expired at ${expiresAt.toISOString()}. Create a new one.`;
  return { status: 403, code: 'EXPIRED', message };
}

function encoded(encoding: string): Refusal {
  const message = `Expected the raw bytes of the file, got Content-Encoding ${encoding}.`;
  return { status: 415, code: 'INVALID', message };
}

function tooLarge(maxBytes: number): Refusal {
  return { status: 413, code: 'TOO_LARGE', message: `A file may have at most ${maxBytes} bytes.` };
}

function otherSize(declared: number, got: number | 'more'): Refusal {
  const message = `Expected the ${declared} bytes that were announced as byteSize, got ${got}.`;
  return { status: 400, code: 'INVALID', message };
}

function tooSlow({ timeoutMs }: IdleError): Refusal {
  return { status: 408, code: 'TIMEOUT', message: `No byte came for ${timeoutMs / 1000} seconds.` };
}
