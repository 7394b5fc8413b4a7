import type { IncomingMessage, ServerResponse } from 'node:http';
import { finishConnect, type FinishedConnect, type OAuthDeps } from '../connections/oauth.ts';
import { sendMessage, type Message } from './message-page.ts';
import { urlOf } from './signed-request.ts';

/** Where providers send people back to, below the installation's own address. */
export const OAUTH_CALLBACK = '/oauth/callback';

/**
 * `GET /oauth/callback`: a person who allowed access at a provider, or did not. The state is their ticket, and nothing
 * of the query is logged or shown. @returns false for other paths
 */
export function createOAuthHandler(
  deps: OAuthDeps,
): (req: IncomingMessage, res: ServerResponse) => Promise<boolean> {
  return async (req, res) => {
    const url = urlOf(req);
    if (url?.pathname !== OAUTH_CALLBACK) return false;
    // HEAD too would use up the state: mail programs and chats look at links.
    if (req.method === 'GET') sendMessage(res, messageOf(await finishConnect(deps, url.searchParams)));
    else sendMessage(res.setHeader('allow', 'GET'), NOT_GET);
    req.resume();
    return true;
  };
}

const NOT_GET: Message = {
  status: 405,
  heading: 'Nothing was connected',
  text: 'This address is for people who come back from a provider.',
};

/** Words of RFC 6749 §4.1.2.1, as far as a person can make something of them. */
const DENIALS: Readonly<Record<string, string>> = {
  access_denied: 'access was not allowed',
  temporarily_unavailable: 'it has no time just now; try again later',
  server_error: 'it met an error; try again later',
  invalid_scope: 'it does not know the permissions that the app asks for',
  unauthorized_client: 'it does not know the app of this installation',
};

function messageOf(finished: FinishedConnect): Message {
  switch (finished.type) {
    case 'connected':
      return {
        status: 200,
        heading: 'Connected',
        text: `Connected: ${finished.label}, for ${finished.organizationName}. You can close this window.`,
      };
    case 'unknown':
      return nothing('This link was used already, or has expired. Start again where you came from.');
    case 'denied': {
      const why = Object.hasOwn(DENIALS, finished.code) ? DENIALS[finished.code] : null;
      return nothing(
        `${finished.title} sent you back: ${why ?? 'it did not say why in words that we know'}.`,
      );
    }
    case 'mismatch':
      return nothing(`This is not what ${finished.title} sends people back with. Start again.`);
    case 'failed':
      return nothing(finished.message);
  }
}

function nothing(text: string): Message {
  return { status: 400, heading: 'Nothing was connected', text };
}
