import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { toError } from '../lib/abort.ts';
import { attachment } from '../lib/content-disposition.ts';
import { findFile, type StoredFile } from '../repositories/files.ts';
import { FILE_CLAIMS } from '../secrets/index.ts';
import { StorageMissingError } from '../storage/storage.ts';
import { IDLE_TIMEOUT_MS, type FileRouteDeps } from './deps.ts';
import { refuse, type Refusal } from './reply.ts';
import { notFound, urlOf, verifySigned } from './signed-request.ts';

const PATH = /^\/files\/[^/]+$/;
const CORS = { 'Access-Control-Allow-Origin': '*' };

/** `GET` and `HEAD /files/<id>?<signature>`: a file that a job made. @returns false for other paths */
export function createFileHandler(
  deps: FileRouteDeps,
): (req: IncomingMessage, res: ServerResponse) => Promise<boolean> {
  return async (req, res) => {
    const url = urlOf(req);
    if (!url || !PATH.test(url.pathname)) return false;
    try {
      const refusal = await send(deps, req, res, url);
      if (refusal) refuse(req, res, { ...refusal, headers: { ...CORS, ...refusal.headers } });
    } catch (error) {
      failed(deps, req, res, toError(error));
    }
    return true;
  };
}

async function send(
  deps: FileRouteDeps,
  req: IncomingMessage,
  res: ServerResponse,
  url: URL,
): Promise<Refusal | null> {
  if (req.method !== 'GET' && req.method !== 'HEAD') return notAllowed();
  const target = verifySigned(deps, url, 'file', FILE_CLAIMS);
  if ('status' in target) return target;
  const file = await findFile(deps.db, target.organizationId, target.id);
  if (!file) return notFound('file');
  if (req.headers['if-none-match'] === etag(file)) {
    res.writeHead(304, headersOf(file)).end();
    return null;
  }
  return stream(deps, req, res, file);
}

async function stream(
  { storage, limits }: FileRouteDeps,
  req: IncomingMessage,
  res: ServerResponse,
  file: StoredFile,
): Promise<Refusal | null> {
  const gone = new AbortController();
  res.on('close', () => gone.abort());
  const opened = await storage.get(file.storageKey, { signal: gone.signal }).catch((error: unknown) => {
    if (error instanceof StorageMissingError) return null;
    throw error;
  });
  if (!opened) return notFound('file');
  res.writeHead(200, { ...headersOf(file), 'Content-Length': opened.byteSize });
  if (req.method === 'HEAD') {
    opened.body.destroy();
    res.end();
    return null;
  }
  const idleTimeoutMs = limits.idleTimeoutMs ?? IDLE_TIMEOUT_MS;
  res.setTimeout(idleTimeoutMs, () =>
    res.destroy(new Error(`the client took no byte in ${idleTimeoutMs} ms`)),
  );
  await pipeline(opened.body, res);
  res.setTimeout(0);
  return null;
}

/** A stored file is never shown as a page of this server's: it is saved, and its type is not guessed at. */
function headersOf(file: StoredFile): Record<string, string> {
  return {
    ...CORS,
    'Content-Type': file.contentType,
    'Content-Disposition': attachment(file.filename),
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'private',
    ETag: etag(file),
  };
}

function etag({ sha256 }: StoredFile): string {
  return `"${sha256}"`;
}

function notAllowed(): Refusal {
  const message = 'Get the file with GET.';
  return { status: 405, code: 'METHOD_NOT_ALLOWED', message, headers: { Allow: 'GET, HEAD' } };
}

function failed({ log }: FileRouteDeps, req: IncomingMessage, res: ServerResponse, error: Error): void {
  if (res.destroyed) {
    log.info({ err: error }, 'a client broke off its download');
    return;
  }
  log.error({ err: error }, 'a download failed');
  // Half a file under a Content-Length: the cut connection tells the client that it is not whole.
  if (res.headersSent) res.destroy();
  else refuse(req, res, { status: 500, code: 'INTERNAL', message: 'The file could not be read. Try again.' });
}
