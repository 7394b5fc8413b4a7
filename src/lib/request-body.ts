import type { IncomingMessage } from 'node:http';

/** Why a body was not read to its end. */
export type UnreadBody = 'too large' | 'too slow' | 'broken off';

/**
 * Reads a request's body, or says why not. The connection stays, so that the answer can still be sent.
 * @param bytesMax one that announces more is not read at all
 */
export function readRequestBody(
  req: IncomingMessage,
  { bytesMax, timeoutMs }: { readonly bytesMax: number; readonly timeoutMs: number },
): Promise<Buffer | UnreadBody> {
  if (Number(req.headers['content-length'] ?? 0) > bytesMax) return Promise.resolve('too large');
  if (req.destroyed && !req.complete) return Promise.resolve('broken off');
  const chunks: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve) => {
    const late = setTimeout(() => end('too slow'), timeoutMs);
    const onData = (chunk: Buffer): void => {
      bytes += chunk.byteLength;
      if (bytes > bytesMax) end('too large');
      else chunks.push(chunk);
    };
    const onEnd = (): void => end(Buffer.concat(chunks));
    const onClose = (): void => end('broken off');
    const end = (outcome: Buffer | UnreadBody): void => {
      clearTimeout(late);
      req.off('data', onData);
      req.off('end', onEnd);
      req.off('close', onClose);
      resolve(outcome);
    };
    req.on('data', onData);
    req.once('end', onEnd);
    req.once('close', onClose);
    req.on('error', onClose);
  });
}
