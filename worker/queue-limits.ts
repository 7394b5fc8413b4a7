import { QUEUE_NAMES, type QueueName } from '../src/domain/job.ts';

/** Jobs of each queue that a worker runs at once */
export type QueueLimits = Readonly<Record<QueueName, number>>;

export interface FittedLimits {
  readonly limits: QueueLimits;
  /** Queues that got less than was asked for */
  readonly capped: readonly QueueName[];
}

/**
 * Fits what operators ask for into the connections of this worker: each attempt may hold one. No queue gets less than
 * its default because another one was raised.
 * @param room attempts of all queues together; at least the sum of `defaults`
 */
export function fitLimits(wanted: QueueLimits, defaults: QueueLimits, room: number): FittedLimits {
  const kept = (name: QueueName): number => Math.min(wanted[name], defaults[name]);
  let left = room - QUEUE_NAMES.reduce((sum, name) => sum + kept(name), 0);
  const entries = QUEUE_NAMES.map((name): [QueueName, number] => {
    const more = Math.min(wanted[name] - kept(name), Math.max(0, left));
    left -= more;
    return [name, kept(name) + more];
  });
  const limits = { ...defaults, ...Object.fromEntries(entries) };
  return { limits, capped: QUEUE_NAMES.filter((name) => limits[name] < wanted[name]) };
}
