import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkerApp } from '../../../worker/app.ts';
import { startEngine, type Engine } from '../../support/engine.ts';
import { testCatalogue, testHandlers } from '../../support/kinds.ts';
import { waitFor } from '../../support/wait.ts';

const EVERY_MS = 600;

describe('the canary', () => {
  let engine: Engine;
  let workers: WorkerApp[];
  beforeAll(async () => {
    engine = await startEngine({
      broker: 'redis',
      catalogue: testCatalogue,
      handlers: testHandlers(),
      canaryMs: EVERY_MS,
    });
    workers = await Promise.all([engine.startWorker(), engine.startWorker(), engine.startWorker()]);
  });
  afterAll(() => engine.close());
  const canaries = async (): Promise<{ created_at: Date; status: string; internal: boolean }[]> => {
    const { rows } = await engine.database.db.query<{ created_at: Date; status: string; internal: boolean }>(
      `SELECT created_at, status, internal FROM jobs WHERE kind = 'canary' ORDER BY created_at`,
    );
    return rows;
  };

  it('is started once for the whole installation, however many workers there are', async () => {
    const rows = await waitFor(async () => {
      const found = await canaries();
      return found.filter(({ status }) => status === 'completed').length >= 5 ? found : null;
    });
    const gaps = rows
      .slice(1)
      .map((row, index) => row.created_at.getTime() - +(rows[index]?.created_at ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(EVERY_MS);
    expect(rows.every(({ internal }) => internal)).toBe(true);
  });

  it('tells in the metrics of every worker what its round took, and how long ago', async () => {
    for (const worker of workers) {
      const { text } = await worker.metrics();
      expect(text).toMatch(/^millrace_canary_seconds \d/m);
      expect(text).toMatch(/^millrace_canary_age_seconds \d/m);
    }
  });
});
