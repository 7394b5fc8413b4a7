import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineEntity, type Account, type Page, type PullContext } from '../../src/connectors/connector.ts';
import { resuming } from '../../src/connectors/cursor-lost.ts';
import { ProviderError } from '../../src/connectors/provider-error.ts';

const NOTE = 'The provider no longer knew where reading had stopped, so it began anew.';
const NOW = new Date('2026-11-28T12:00:00Z');
const ACCOUNT: Account = { id: 'a', label: 'A shop', timeZone: null, currency: null, missingScopes: [] };

const cursor = z.strictObject({ since: z.int(), token: z.string().nullable() });
type Cursor = z.infer<typeof cursor>;

/** An entity whose provider answers each request for a page by `answer`. */
function entityOf(answer: (at: Cursor) => readonly string[], beginAt?: (lost: Cursor) => unknown) {
  const asked: (Cursor | null)[] = [];
  async function* pull(_ctx: PullContext<null, null>, after: Cursor | null): AsyncGenerator<Page<Cursor>> {
    asked.push(after);
    const at = after ?? { since: 0, token: null };
    const request = (async () => answer(at))();
    const ids = await (at.token === null ? request : resuming(request, beginAt?.(at)));
    for (const [index, id] of ids.entries()) {
      const isLast = index === ids.length - 1;
      yield { records: [{ id }], cursor: { since: at.since, token: id }, isLast, notes: ['sampled'] };
    }
  }
  const entity = defineEntity({
    title: 'Things',
    feeds: null,
    scan: 'changes',
    record: z.object({ id: z.string() }),
    cursor,
    idOf: ({ id }) => id,
    factsOf: () => [],
    pull,
  });
  async function run(after: unknown) {
    const { signal } = new AbortController();
    const ctx = { client: null, account: ACCOUNT, config: null, from: NOW, now: () => NOW, signal };
    const pages = [];
    for await (const page of entity.pull(ctx, after)) pages.push(page);
    return pages;
  }
  return { asked, run };
}

const refused = (kind: 'bad_request' | 'transient', message = 'No such page.'): never => {
  throw new ProviderError(kind, message);
};

describe('a cursor that the provider no longer knows', () => {
  test('begins anew, and the first page says so', async () => {
    const { asked, run } = entityOf(({ token }) =>
      token === null ? ['one', 'two'] : refused('bad_request'),
    );
    const pages = await run({ since: 7, token: 'gone' });
    expect(asked).toEqual([{ since: 7, token: 'gone' }, null]);
    expect(pages.map(({ records: [record], notes }) => [record?.id, notes])).toEqual([
      ['one', [NOTE, 'sampled']],
      ['two', ['sampled']],
    ]);
  });

  test('begins no earlier than it must, where the connector knows that', async () => {
    const answer = ({ token }: Cursor) => (token === null ? ['one'] : refused('bad_request'));
    const { asked, run } = entityOf(answer, (lost) => ({ ...lost, token: null }));
    await run({ since: 7, token: 'gone' });
    expect(asked[1]).toEqual({ since: 7, token: null });
  });

  test('begins anew once: what is refused then is told', async () => {
    const answer = ({ token }: Cursor) =>
      refused('bad_request', token === null ? 'Frozen.' : 'No such page.');
    const { asked, run } = entityOf(answer);
    await expect(run({ since: 7, token: 'gone' })).rejects.toMatchObject({
      name: 'ProviderError',
      kind: 'bad_request',
      message: 'Frozen.',
    });
    expect(asked).toHaveLength(2);
  });

  test('never goes round in circles, even where beginning anew needs a cursor itself', async () => {
    const { asked, run } = entityOf(
      () => refused('bad_request'),
      (lost) => lost,
    );
    await expect(run({ since: 7, token: 'gone' })).rejects.toMatchObject({ kind: 'bad_request' });
    expect(asked).toHaveLength(2);
  });

  test('is not lost because the provider has no time', async () => {
    const { asked, run } = entityOf(() => refused('transient'));
    await expect(run({ since: 7, token: 'known' })).rejects.toMatchObject({ kind: 'transient' });
    expect(asked).toHaveLength(1);
  });

  test('is not why a run from the beginning is refused', async () => {
    const { asked, run } = entityOf(() => refused('bad_request'));
    await expect(run(null)).rejects.toMatchObject({ kind: 'bad_request' });
    expect(asked).toEqual([null]);
  });
});
