import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { JOB_PAGE_OPERATIONS } from './page-operations.ts';

interface PageOptions {
  /** Known to the page, so that it shows the job at once; null: the page asks for one */
  readonly devToken: string | null;
}

const JOB_PATH = /^\/jobs\/[A-Za-z0-9_]{1,100}$/;

/** `/` and `/jobs/<id>`: pages with all they need inside. They read by the caller's token, as any client does. */
export function createPageHandler({ devToken }: PageOptions) {
  const settings = JSON.stringify({ devToken, operations: JOB_PAGE_OPERATIONS }).replaceAll(
    '<',
    String.raw`\u003c`,
  );
  const home = fill(read('home.html'), { '/*{{style}}*/': read('style.css') });
  const job = fill(read('job.html'), {
    '/*{{style}}*/': read('style.css'),
    '/*{{script}}*/': read('job.js'),
    '"{{settings}}"': settings,
  });

  return (req: IncomingMessage, res: ServerResponse): Promise<boolean> => {
    const path = req.url?.split('?', 1)[0] ?? '';
    const isRead = req.method === 'GET' || req.method === 'HEAD';
    const page = path === '/' ? home : JOB_PATH.test(path) ? job : null;
    if (page === null || !isRead) return Promise.resolve(false);
    sendPage(res, 200, page);
    return Promise.resolve(true);
  };
}

/** @param page holds `{{nonce}}` wherever a style or a script begins */
export function sendPage(res: ServerResponse, status: number, page: string): void {
  const nonce = randomBytes(16).toString('base64');
  const body = page.replaceAll('{{nonce}}', nonce);
  res.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'content-security-policy': [
      "default-src 'none'",
      `script-src 'nonce-${nonce}'`,
      `style-src 'nonce-${nonce}'`,
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
  res.end(res.req.method === 'HEAD' ? undefined : body);
}

/** Puts contents, as they are, into their places. @throws when a place is missing: a page without its script would look whole */
export function fill(page: string, contents: Readonly<Record<string, string>>): string {
  return Object.entries(contents).reduce((filled, [place, content]) => {
    if (!filled.includes(place)) throw new Error(`a page has no place ${place}`);
    return filled.replace(place, () => content);
  }, page);
}

export function read(name: string): string {
  return readFileSync(new URL(`./assets/${name}`, import.meta.url), 'utf8');
}
