import { createHash, randomBytes } from 'node:crypto';
import type { MockAnswer, MockRequest } from './mock-server.ts';

interface AuthorizationOptions {
  readonly clientId: string;
  /** As they have to be asked for; null: there are none */
  readonly scope: string | null;
  readonly knowsPkce: boolean;
  /** Adds what a provider tells of itself when it sends people back */
  readonly sign?: (query: URLSearchParams, request: MockRequest) => void;
}

interface Code {
  readonly redirectUri: string;
  readonly challenge: string | null;
}

/** Where a person allows access, or does not, and the codes that come of it: each is good once. */
export class Authorization {
  /** Of whoever comes next */
  decision: 'allow' | 'deny' = 'allow';
  readonly #options: AuthorizationOptions;
  readonly #codes = new Map<string, Code>();

  constructor(options: AuthorizationOptions) {
    this.#options = options;
  }

  /** Sends a person back, or shows them why not. */
  authorize(request: MockRequest): MockAnswer {
    const { query } = request;
    const problem = this.#problemOf(request);
    if (problem !== null) return { status: 400, text: problem };
    const back = new URL(query.get('redirect_uri') ?? '');
    back.searchParams.set('state', query.get('state') ?? '');
    if (this.decision === 'deny') back.searchParams.set('error', 'access_denied');
    else back.searchParams.set('code', this.#issue(query));
    this.#options.sign?.(back.searchParams, request);
    return { status: 302, headers: { location: back.href } };
  }

  /**
   * Uses a code up, whatever comes of it.
   * @param given `code`, `code_verifier` where there is PKCE, and `redirect_uri` where the provider asks for it again
   */
  redeem(given: Readonly<Record<string, unknown>>): boolean {
    const code = this.#codes.get(String(given['code']));
    this.#codes.delete(String(given['code']));
    if (!code) return false;
    if (given['redirect_uri'] !== undefined && given['redirect_uri'] !== code.redirectUri) return false;
    return code.challenge === null || challengeOf(String(given['code_verifier'])) === code.challenge;
  }

  #issue(query: URLSearchParams): string {
    const code = randomBytes(12).toString('hex');
    this.#codes.set(code, {
      redirectUri: query.get('redirect_uri') ?? '',
      challenge: query.get('code_challenge'),
    });
    return code;
  }

  #problemOf({ method, query }: MockRequest): string | null {
    const { clientId, scope, knowsPkce } = this.#options;
    if (method !== 'GET') return 'people come with GET';
    if (query.get('response_type') !== 'code') return 'expected response_type=code';
    if (query.get('client_id') !== clientId) return 'this client is nobody’s';
    if (!URL.canParse(query.get('redirect_uri') ?? '')) return 'the redirect_uri is none';
    if ((query.get('state') ?? '').length < 22) return 'a state is expected that nobody guesses';
    if (query.get('scope') !== scope) return 'the scope is another';
    if (!knowsPkce) return query.has('code_challenge') ? 'PKCE is not known here' : null;
    const isChallenge = /^[\w-]{43}$/.test(query.get('code_challenge') ?? '');
    return isChallenge && query.get('code_challenge_method') === 'S256' ? null : 'PKCE by S256 is expected';
  }
}

export function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}

/** What a person's browser does with such an address. @returns where it is sent back to */
export async function visit(url: URL | string): Promise<URL> {
  const response = await fetch(url, { redirect: 'manual' });
  const location = response.headers.get('location');
  if (response.status !== 302 || location === null)
    throw new Error(`nobody was sent back: ${response.status} ${await response.text()}`);
  return new URL(location);
}
