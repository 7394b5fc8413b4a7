import { createLog, type Log } from '../../src/lib/log.ts';

/** For code that wants a log in a test that does not look at it. */
export const silentLog: Log = createLog({ level: 'silent', process: 'test' });
