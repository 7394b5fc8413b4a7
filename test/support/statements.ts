import pg from 'pg';

/** Of BullMQ, and of the API's upkeep, which come when they come */
const NOBODY_ASKED = /bullmq|AS orphaned/i;

/** Whose a token is, and that it was used */
const A_TOKEN = /FROM api_keys k\b|UPDATE api_keys SET last_used_at/;

/** Texts of the statements that this process sends to Postgres while `run` runs, because of it. */
export async function statementsDuring(run: () => Promise<unknown>): Promise<string[]> {
  const texts: string[] = [];
  const { query } = pg.Client.prototype;
  // node-pg has one door for statements with eight signatures; the first argument is a text or has one.
  pg.Client.prototype.query = new Proxy(query, {
    apply(target, client, args: unknown[]) {
      const [first] = args;
      const text = typeof first === 'object' && first !== null && 'text' in first ? first.text : first;
      if (typeof text === 'string' && !NOBODY_ASKED.test(text)) texts.push(text);
      return Reflect.apply(target, client, args) as unknown;
    },
  });
  try {
    await run();
  } finally {
    pg.Client.prototype.query = query;
  }
  return texts;
}

/** The same without what comes by its own clock: the look-up of a token, and the bus' question whether its link lives. */
export async function readsDuring(run: () => Promise<unknown>): Promise<string[]> {
  const texts = await statementsDuring(run);
  return texts.filter((text) => text !== 'SELECT 1' && !A_TOKEN.test(text));
}
