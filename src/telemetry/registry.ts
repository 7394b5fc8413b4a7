import { Counter, Gauge, Registry } from 'prom-client';
import { toError } from '../lib/abort.ts';
import type { Log } from '../lib/log.ts';

/** What /metrics answers. */
export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

/** One value of a metric that is read when somebody asks for it. */
export interface Reading<Label extends string> {
  readonly labels?: Readonly<Record<Label, string>>;
  readonly value: number;
}

interface ReadMetric<Label extends string> {
  /** `millrace_…`, unit last, as Prometheus wants it */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly Label[];
  /** Has a time limit of its own. What it throws leaves the metric out of this answer, and nothing else */
  read(): readonly Reading<Label>[] | Promise<readonly Reading<Label>[]>;
}

/** A process' metrics. Each app makes its own, so that two apps in one process do not count together. */
export class Metrics {
  readonly registry = new Registry();
  private readonly log: Log;

  constructor(log: Log) {
    this.log = log;
  }

  /** A value that goes up and down, read at each scrape. */
  gauge<Label extends string = never>({ name, help, labels = [], read }: ReadMetric<Label>): void {
    const { log, registry } = this;
    new Gauge({
      name,
      help,
      labelNames: labels,
      registers: [registry],
      async collect() {
        this.reset();
        for (const { labels = {}, value } of await readOrNothing(name, read, log)) this.set(labels, value);
      },
    });
  }

  /** A value that only goes up and that something else counts, read at each scrape. */
  counter<Label extends string = never>({ name, help, labels = [], read }: ReadMetric<Label>): void {
    const { log, registry } = this;
    new Counter({
      name,
      help,
      labelNames: labels,
      registers: [registry],
      async collect() {
        this.reset();
        for (const { labels = {}, value } of await readOrNothing(name, read, log)) this.inc(labels, value);
      },
    });
  }

  async expose(): Promise<Exposition> {
    return { contentType: this.registry.contentType, text: await this.registry.metrics() };
  }
}

async function readOrNothing<Label extends string>(
  name: string,
  read: ReadMetric<Label>['read'],
  log: Log,
): Promise<readonly Reading<Label>[]> {
  try {
    return await read();
  } catch (error) {
    log.warn({ err: toError(error), metric: name }, 'a metric could not be read');
    return [];
  }
}
