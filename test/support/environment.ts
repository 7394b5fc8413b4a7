import { z } from 'zod';

const variables = z.object({
  TEST_DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  REDIS_URL: z.url({ protocol: /^rediss?$/ }).optional(),
  MILLRACE_NO_INSTALL: z.enum(['0', '1']).default('0'),
  PATH: z.string().default(''),
  MILLRACE_TEST_DATA: z.string().optional(),
  SPECS_DIR: z.string().optional(),
  MILLRACE_FUZZ_SEED: z.coerce.number().int().optional(),
});

/** What the test harness takes from outside; empty means absent. */
export interface TestEnvironment {
  /** A server on which the tests may make databases, instead of an embedded one */
  readonly databaseUrl: string | null;
  /** A Redis for the tests, instead of one of their own */
  readonly redisUrl: string | null;
  readonly mayInstall: boolean;
  /** More input for tests that have inputs of their own as well */
  readonly dataFolder: string | null;
  /** The providers' own specifications, to which their mocks are held; null: the mocks are on their honour */
  readonly specsFolder: string | null;
  /** What the fuzz tests make their messages from, instead of their own */
  readonly fuzzSeed: number | null;
  /** Folders with programs, in order */
  readonly path: readonly string[];
}

/** @throws ZodError that names each variable that cannot be used */
export function readTestEnvironment(): TestEnvironment {
  const given = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value));
  const env = variables.parse(given);
  return {
    databaseUrl: env.TEST_DATABASE_URL ?? null,
    redisUrl: env.REDIS_URL ?? null,
    mayInstall: env.MILLRACE_NO_INSTALL === '0',
    dataFolder: env.MILLRACE_TEST_DATA ?? null,
    specsFolder: env.SPECS_DIR ?? null,
    fuzzSeed: env.MILLRACE_FUZZ_SEED ?? null,
    path: env.PATH.split(':').filter(Boolean),
  };
}
