import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startJob } from '../../src/queue/start.ts';
import { startApi } from '../support/api.ts';
import { startEngine, type Engine } from '../support/engine.ts';
import { settled } from '../support/jobs.ts';
import { testCatalogue, testHandlers } from '../support/kinds.ts';

const TOKEN = 'a-token-for-prometheus';

describe("a worker's metrics", () => {
  let engine: Engine;
  let text: string;
  beforeAll(async () => {
    const handlers = testHandlers({ plain: () => Promise.resolve('done') });
    engine = await startEngine({ broker: 'postgres', catalogue: testCatalogue, handlers });
    const worker = await engine.startWorker();
    for (const script of ['plain', 'plain', 'unknown']) {
      const { jobId } = await startJob(engine.jobs, {
        organizationId: engine.organization.id,
        kind: 'scripted',
        input: { script },
        triggeredBy: 'manual:test',
      });
      await settled(engine.database.db, jobId);
    }
    ({ text } = await worker.metrics());
  });
  afterAll(() => engine.close());

  it.each([
    'millrace_jobs_settled_total{kind="scripted",status="completed"} 2',
    'millrace_jobs_settled_total{kind="scripted",status="failed"} 1',
    'millrace_attempts_total{kind="scripted",outcome="completed"} 2',
    'millrace_attempts_total{kind="scripted",outcome="failed"} 3',
    'millrace_attempt_run_seconds_count{kind="scripted"} 5',
    'millrace_attempt_claim_seconds_count{kind="scripted"} 5',
    'millrace_queue_jobs{queue="default",state="waiting"} 0',
    'millrace_slots{queue="long_running",state="total"} 2',
    'millrace_deaf{queue="default"} 0',
    'millrace_takeovers_total 0',
    'millrace_bus_connected 1',
  ])('have %s', (line) => {
    expect(text.split('\n')).toContain(line);
  });

  it.each([
    /^millrace_db_connections\{state="busy"\} \d+$/m,
    /^millrace_event_loop_lag_seconds \d/m,
    /^millrace_bus_publish_lag_seconds \d/m,
    /^process_resident_memory_bytes \d+$/m,
  ])('have %s', (line) => {
    expect(text).toMatch(line);
  });
});

describe("the API's metrics", () => {
  it('are at no address without a token in the configuration', async () => {
    await using api = await startApi();
    const response = await fetch(`${api.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(response.status).toBe(404);
  });

  it('open to the token alone, and count starts by kind', async () => {
    await using api = await startApi({ environment: { METRICS_TOKEN: TOKEN } });
    const read = (token?: string): Promise<Response> =>
      fetch(`${api.url}/metrics`, token ? { headers: { authorization: `Bearer ${token}` } } : {});
    expect((await read()).status).toBe(401);
    expect((await read(`${TOKEN}!`)).status).toBe(401);
    expect((await read(api.tokens.admin)).status).toBe(401);
    const response = await read(TOKEN);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('text/plain');
    const text = await response.text();
    expect(text).toMatch(/^millrace_streams_open 0$/m);
    expect(text).toContain('# HELP millrace_jobs_started_total');
    expect(text).not.toContain(TOKEN);
  });
});
