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

  it('never repeats a secret', () => {
    expect(message({ DATABASE_URL: 'mysql://me:hunter2@host/db', MILLRACE_SECRET: 'short' })).not.toMatch(
      /hunter2|short/,
    );
  });

  it('refuses a direct URL without a database', () => {
    expect(message({ DATABASE_DIRECT_URL: 'postgresql://localhost/a' })).toContain('DATABASE_DIRECT_URL');
  });
});
