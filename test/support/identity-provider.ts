import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';

export interface TestIdentityProvider extends AsyncDisposable {
  readonly jwksUrl: string;
  readonly issuer: string;
  readonly audience: string;
  /** How often its keys were fetched */
  readonly fetches: number;
  /** From now on it answers with this status; 200: as it should */
  answerWith(status: number): void;
  /** A token of its own, good for a minute. */
  sign(claims: JWTPayload, more?: SignOptions): Promise<string>;
  /** Signs with another key from now on, which it publishes too. */
  rotate(): Promise<void>;
}

export interface SignOptions {
  readonly expiresAt?: Date;
  readonly issuer?: string;
  readonly audience?: string;
  /** By a key that it does not publish */
  readonly forged?: boolean;
}

/** An identity provider with a key of its own, on a port of this machine. */
export async function startIdentityProvider(): Promise<TestIdentityProvider> {
  const [issuer, audience] = ['https://login.example.com/', 'millrace'];
  const foreign = await generateKeyPair('ES256');
  const published: object[] = [];
  let current = { kid: '', key: foreign.privateKey };
  let [status, fetches] = [200, 0];
  const rotate = async (): Promise<void> => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const kid = `key-${published.length}`;
    published.push({ ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' });
    current = { kid, key: privateKey };
  };
  await rotate();
  const server = createServer((_req, res) => {
    fetches += 1;
    res.writeHead(status, { 'content-type': 'application/json' });
    res.end(JSON.stringify({ keys: published }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    jwksUrl: `http://127.0.0.1:${port}/jwks`,
    issuer,
    audience,
    get fetches() {
      return fetches;
    },
    answerWith(next) {
      status = next;
    },
    sign: (claims, more = {}) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', kid: current.kid })
        .setIssuer(more.issuer ?? issuer)
        .setAudience(more.audience ?? audience)
        .setIssuedAt()
        .setExpirationTime(more.expiresAt ?? new Date(Date.now() + 60_000))
        .sign(more.forged ? foreign.privateKey : current.key),
    rotate,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
