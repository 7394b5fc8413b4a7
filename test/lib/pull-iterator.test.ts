import { describe, expect, test } from 'vitest';
import {
  PullIterator,
  type Closable,
  type Pulled,
  type PullReader,
  type PullSource,
} from '../../src/lib/pull-iterator.ts';

class Source implements PullSource<number> {
  readonly values: Pulled<number>[] = [];
  readonly calls: string[] = [];
  reader: PullReader | null = null;

  start(reader: PullReader): void {
    this.reader = reader;
    this.calls.push('start');
  }
  pull(): Pulled<number> {
    return this.values.shift() ?? { type: 'nothing' };
  }
  release(): void {
    this.calls.push('release');
  }
  get isDry(): boolean {
    return this.values.length === 0;
  }
  give(value: number): void {
    this.values.push({ type: 'value', value });
    this.reader?.wake();
  }
}

describe('an iterator that pulls', () => {
  test('gives values in order, to readers in order', async () => {
    const source = new Source();
    const iterator = new PullIterator(source);
    const waiting = [iterator.next(), iterator.next()];
    source.give(1);
    source.give(2);
    source.give(3);
    expect(await Promise.all(waiting)).toEqual([
      { done: false, value: 1 },
      { done: false, value: 2 },
    ]);
    expect(await iterator.next()).toEqual({ done: false, value: 3 });
  });

  test('is idle while its reader waits and there is nothing to give', async () => {
    const source = new Source();
    const iterator = new PullIterator(source);
    expect(iterator.isIdle).toBe(false);
    const waiting = iterator.next();
    expect(iterator.isIdle).toBe(true);
    source.give(1);
    await waiting;
    expect(iterator.isIdle).toBe(false);
    await iterator.return();
    expect(iterator.isIdle).toBe(true);
  });

  test('starts and releases its source once', async () => {
    const source = new Source();
    const open = new Set<Closable>();
    const iterator = new PullIterator(source, open);
    expect([source.calls, open.size]).toEqual([[], 0]);
    const waiting = iterator.next();
    expect(open.size).toBe(1);
    await iterator.return();
    await iterator.return();
    iterator.fail(new Error('too late'));
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect([source.calls, open.size]).toEqual([['start', 'release'], 0]);
  });

  test('does not start a source that was returned unread', async () => {
    const source = new Source();
    const iterator = new PullIterator(source);
    await iterator.return();
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(source.calls).toEqual([]);
  });

  test('hands an error to one reader and is over', async () => {
    const source = new Source();
    const iterator = new PullIterator(source);
    const [first, second] = [iterator.next(), iterator.next()];
    iterator.fail(new Error('broken'));
    await expect(first).rejects.toThrow('broken');
    expect((await second).done).toBe(true);
    expect(source.calls).toEqual(['start', 'release']);
  });

  test('keeps an error for a reader that is not waiting', async () => {
    const source = new Source();
    const iterator = new PullIterator(source);
    source.values.push({ type: 'value', value: 1 });
    await iterator.next();
    iterator.fail(new Error('broken'));
    await expect(iterator.next()).rejects.toThrow('broken');
    expect((await iterator.next()).done).toBe(true);
  });
});
