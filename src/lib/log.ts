import { pino, type DestinationStream, type Level, type Logger } from 'pino';
import { build as pretty } from 'pino-pretty';

export type Log = Logger;

/** Keys whose values never reach a log, wherever they stand in an object of up to three levels. */
const SECRET_KEYS = [
  'token',
  'password',
  'secret',
  'authorization',
  'cookie',
  'connectionString',
  'databaseUrl',
  'redisUrl',
];

export interface LogOptions {
  readonly level: Level | 'silent';
  readonly process: string;
  /** `pretty` for people; default `json` */
  readonly format?: 'json' | 'pretty';
  readonly destination?: DestinationStream;
}

/** JSON lines on stderr: stdout belongs to what a program answers, such as the `ready` line. */
export function createLog({ level, process: name, format = 'json', destination }: LogOptions): Log {
  const paths = SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);
  return pino(
    {
      level,
      base: { process: name },
      redact: { paths, censor: '[secret]' },
      serializers: { error: describeError, err: describeError },
    },
    destination ?? (format === 'pretty' ? prettyStderr() : pino.destination({ dest: 2, sync: true })),
  );
}

function prettyStderr(): DestinationStream {
  return pretty({
    destination: 2,
    sync: true,
    colorize: process.stderr.isTTY,
    translateTime: 'SYS:HH:MM:ss',
    ignore: 'pid,hostname,process',
    messageFormat: '{process}: {msg}',
  });
}

/** Causes of causes that are told. */
const CAUSES_MAX = 5;

/** What is told of an error, and nothing else: libraries hang clients, requests and credentials on theirs. */
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return String(error);
  const { name, message, stack, cause } = error;
  return {
    type: name,
    message,
    stack,
    ...('code' in error ? { code: String(error.code) } : {}),
    ...(cause !== undefined && depth < CAUSES_MAX ? { cause: describeError(cause, depth + 1) } : {}),
  };
}
