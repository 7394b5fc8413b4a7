import type { EventBus } from '../events/bus.ts';
import type { JobEvent } from '../domain/job.ts';
import type { JobNews } from '../repositories/job-events.ts';

/** Hints to every process that a job changed. Call it after the commit: what a hint tells must be readable. */
export function announce(bus: EventBus, ...news: readonly JobNews[]): void {
  for (const { organizationId, jobId, events } of news) {
    for (const event of events)
      bus.publish('jobEvent', jobId, { organizationId, seq: event.seq, event: travelling(event) });
    // Whoever listens for changes hears of events anyway.
    if (events.length === 0) bus.publish('jobChange', organizationId, { jobId });
  }
}

function travelling(event: JobEvent) {
  const { seq: _seq, at, ...rest } = event;
  return { ...rest, at: at.toISOString() };
}
