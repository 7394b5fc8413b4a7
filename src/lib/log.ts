import { pino, stdSerializers, type DestinationStream, type Level, type Logger } from 'pino';

export type Log = Logger;

/** Keys whose values never reach a log, wherever they stand in an object of up to three levels. */
const SECRET_KEYS = ['token', 'password', 'secret', 'authorization', 'cookie', 'connectionString', 'databaseUrl', 'redisUrl'];

export interface LogOptions {
  readonly level: Level | 'silent';
  readonly process: string;
  readonly destination?: DestinationStream;
}

/** JSON lines on stderr: stdout belongs to what a program answers, such as the `ready` line. */
export function createLog({ level, process: name, destination }: LogOptions): Log {
  const paths = SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]);
  return pino(
    {
      level,
      base: { process: name },
      redact: { paths, censor: '[secret]' },
      serializers: { error: stdSerializers.err, err: stdSerializers.err },
    },
    destination ?? pino.destination({ dest: 2, sync: true }),
  );
}
