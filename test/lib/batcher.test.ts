import { describe, expect, it } from 'vitest';
import { Batcher } from '../../src/lib/batcher.ts';
import { Gate } from '../support/gate.ts';

describe('a batcher', () => {
  it('sends an item out alone, and what comes meanwhile together', async () => {
    const runs: number[][] = [];
    const first = new Gate();
    const batcher = new Batcher<number, number>({
      sizeMax: 100,
      concurrency: 1,
      async run(items) {
        runs.push([...items]);
        if (runs.length === 1) await first.opened;
        return items.map((item) => item * 10);
      },
    });
    const one = batcher.add(1);
    await new Promise((resolve) => setImmediate(resolve));
    const others = [2, 3, 4].map((item) => batcher.add(item));
    first.open();
    expect(await one).toBe(10);
    expect(await Promise.all(others)).toEqual([20, 30, 40]);
    expect(runs).toEqual([[1], [2, 3, 4]]);
  });

  it('runs no more items at once than it may', async () => {
    const sizes: number[] = [];
    const batcher = new Batcher<number, number>({
      sizeMax: 3,
      concurrency: 1,
      async run(items) {
        sizes.push(items.length);
        return items;
      },
    });
    expect(await Promise.all([1, 2, 3, 4, 5, 6, 7].map((item) => batcher.add(item)))).toHaveLength(7);
    expect(sizes).toEqual([3, 3, 1]);
  });

  it('fails only the item that is bad, not its neighbours', async () => {
    const batcher = new Batcher<string, string>({
      sizeMax: 10,
      concurrency: 2,
      async run(items) {
        if (items.includes('bad')) throw new Error('bad item');
        return items;
      },
    });
    const results = await Promise.allSettled(['a', 'bad', 'b'].map((item) => batcher.add(item)));
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });
});
