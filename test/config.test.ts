import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../src/config.ts';

const message = (env: Record<string, string>): string => {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
};

describe('the configuration', () => {
  it('needs nothing: embedded Postgres carries the queue and the events', () => {
    const config = readConfig({});
    expect(config.database).toEqual({ type: 'embedded' });
    expect(config.broker).toEqual({ type: 'postgres' });
  });

  it('takes Redis for queue and events when REDIS_URL is set, whatever the database is', () => {
    expect(readConfig({ REDIS_URL: 'redis://localhost:6379' }).broker).toMatchObject({
      type: 'redis',
      prefix: 'millrace',
    });
  });

  it('treats an empty variable as one that is not set', () => {
    expect(readConfig({ REDIS_URL: '', PORT: '' }).port).toBe(4000);
  });

  it('names every violation at once', () => {
    const text = message({ PORT: '70000', LOG_LEVEL: 'loud', REDIS_URL: 'http://x' });
    expect(text).toContain('PORT');
    expect(text).toContain('LOG_LEVEL');
    expect(text).toContain('REDIS_URL');
  });

  it('names a limit that is no limit', () => {
    expect(message({ LIMIT_DEPTH: '0', LIMIT_COST: 'much', PORT: '70000' })).toMatch(
      /PORT.*\n.*LIMIT_DEPTH.*got "0"\n.*LIMIT_COST.*got "much"/,
    );
    expect(readConfig({ LIMIT_DEPTH: '20' }).limits).toMatchObject({ depth: 20, cost: 100_000 });
  });

  it('takes origins as browsers send them', () => {
    expect(readConfig({ CORS_ORIGINS: 'https://a.example, http://localhost:5173' }).corsOrigins).toEqual([
      'https://a.example',
      'http://localhost:5173',
    ]);
    for (const wrong of ['*', 'https://a.example/', 'a.example', 'https://a.example/path']) {
      expect(message({ CORS_ORIGINS: wrong })).toContain('CORS_ORIGINS: expected origins like');
    }
  });

  it('takes the app of a provider whole, or not at all', () => {
    const [id, secret] = ['OAUTH_SHOPIFY_CLIENT_ID', 'OAUTH_SHOPIFY_CLIENT_SECRET'];
    expect(readConfig({ [id]: 'app', [secret]: 'hush' }).oauthApps).toEqual({
      shopify: { clientId: 'app', clientSecret: 'hush' },
    });
    expect(readConfig({}).oauthApps).toEqual({});
    expect(message({ [id]: 'app' })).toContain(`${id}: expected ${secret} beside it, got none`);
    expect(message({ [secret]: 'hush' })).toContain(`${secret}: expected ${id} beside it, got none`);
    expect(message({ [id]: 'app', [secret]: 'hush hush' })).not.toContain('hush');
  });

  it('never repeats a secret', () => {
    expect(message({ DATABASE_URL: 'mysql://me:hunter2@host/db', MILLRACE_SECRET: 'short' })).not.toMatch(
      /hunter2|short/,
    );
  });

  it('refuses a direct URL without a database', () => {
    expect(message({ DATABASE_DIRECT_URL: 'postgresql://localhost/a' })).toContain('DATABASE_DIRECT_URL');
  });

  const KEY = 'A'.repeat(43) + '=';

  it('takes mail with both of its variables only, and neither shows the password', () => {
    const smtp = 'smtp://me:hunter2@mail.example:25';
    expect(readConfig({}).mail).toBeNull();
    expect(readConfig({ SMTP_URL: smtp, MAIL_FROM: 'Millrace <m@example.com>' }).mail?.smtpUrl).toBe(smtp);
    expect(message({ SMTP_URL: smtp })).toMatch(/SMTP_URL: expected MAIL_FROM/);
    expect(message({ MAIL_FROM: 'm@example.com' })).toMatch(/MAIL_FROM: expected SMTP_URL/);
    expect(message({ SMTP_URL: 'http://me:hunter2@mail.example', MAIL_FROM: 'no address' })).not.toMatch(
      /hunter2/,
    );
  });

  it('lets requests into the own network in development only, unless told otherwise', () => {
    expect(readConfig({}).outbound).toEqual({ allowPrivateAddresses: true, requireHttps: false });
    expect(readConfig({ NODE_ENV: 'production' }).outbound).toEqual({
      allowPrivateAddresses: false,
      requireHttps: true,
    });
    expect(readConfig({ ALLOW_PRIVATE_ADDRESSES: 'false' }).outbound.allowPrivateAddresses).toBe(false);
  });

  it('has figures that are made up in development only, and refuses them in production', () => {
    expect(readConfig({}).demoProviders).toBe(true);
    expect(readConfig({ DEMO_PROVIDERS: 'false' }).demoProviders).toBe(false);
    expect(readConfig({ NODE_ENV: 'test' }).demoProviders).toBe(false);
    expect(readConfig({ NODE_ENV: 'production' }).demoProviders).toBe(false);
    expect(readConfig({ NODE_ENV: 'production', DEMO_PROVIDERS: 'false' }).demoProviders).toBe(false);
    expect(message({ NODE_ENV: 'production', DEMO_PROVIDERS: 'true', SMTP_URL: 'smtp://a.example' })).toMatch(
      /SMTP_URL: expected MAIL_FROM.*\n- DEMO_PROVIDERS: expected "false" in production/,
    );
  });

  it('takes a ring of encryption keys', () => {
    const { encryptionKeys } = readConfig({ MILLRACE_ENCRYPTION_KEYS: `2026:${KEY}, 2025:${KEY}` });
    expect(encryptionKeys.map(({ id, key }) => [id, key.byteLength])).toEqual([
      ['2026', 32],
      ['2025', 32],
    ]);
  });

  it.each([`short:AAAA`, KEY, `a:${KEY},a:${KEY}`, `master:${KEY}`, `A b:${KEY}`])(
    'refuses the key ring %s without repeating it',
    (ring) => {
      const text = message({ MILLRACE_ENCRYPTION_KEYS: ring });
      expect(text).toContain('MILLRACE_ENCRYPTION_KEYS');
      expect(text).not.toContain(ring);
    },
  );
});
