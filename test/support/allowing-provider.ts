import { createHash } from 'node:crypto';
import { defineOAuth } from '../../src/connectors/oauth.ts';
import type { Connector } from '../../src/connectors/connector.ts';
import { ProviderError } from '../../src/connectors/provider-error.ts';
import { z } from 'zod';
import { scriptedProvider, type World } from './scripted-provider.ts';

export const CODE = 'the-code-that-was-given';
export const ALLOWED_KEY = 'the-key-that-was-allowed';
export const APP = { clientId: 'our-app', clientSecret: 'the-secret-of-our-app' };

/** A scripted provider that people allow access at: it remembers challenges, and gives one key for one code. */
export function allowingProvider(world: World): Connector {
  const challenges = new Set<string>();
  const used = new Set<string>();
  return {
    ...scriptedProvider(world),
    oauth: defineOAuth(z.object({}), {
      scopes: ['orders'],
      authorizeUrl({ app, redirectUri, state, codeChallenge }) {
        challenges.add(codeChallenge);
        const query = new URLSearchParams({ client_id: app.clientId, redirect_uri: redirectUri, state });
        return new URL(`https://provider.example/authorize?${query.toString()}`);
      },
      isGenuine: ({ query }) => query.get('signature') !== 'forged',
      exchange({ app, code, codeVerifier, signal }) {
        signal.throwIfAborted();
        const challenge = createHash('sha256').update(codeVerifier).digest('base64url');
        const isRight = code === CODE && app.clientSecret === APP.clientSecret && challenges.has(challenge);
        if (!isRight || used.has(challenge))
          return Promise.reject(new ProviderError('auth_expired', 'Scripted did not give access.'));
        used.add(challenge);
        return Promise.resolve({ key: ALLOWED_KEY });
      },
    }),
  };
}
