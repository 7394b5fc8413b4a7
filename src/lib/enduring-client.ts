import pg from 'pg';

/**
 * A connection that a pool opens. A session may end at any moment; pg tells that by an `error` event, and where nobody
 * listens, it ends the process. The pool listens to idle connections only, and not every borrower does in between.
 */
export class EnduringClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    // The statement that runs, or the next one, fails by itself.
    this.on('error', () => undefined);
  }
}
