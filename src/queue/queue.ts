import type { QueueName } from '../domain/job.ts';

/** "Job J, delivery n": all that a broker ever carries. */
export interface Delivery {
  readonly jobId: string;
  /** The fence: only the newest delivery of a job may write */
  readonly delivery: number;
  /** 1 is first; place in the organization's window, so that organizations interleave */
  readonly priority: number;
}

type DeliveryRef = Pick<Delivery, 'jobId' | 'delivery'>;

/**
 * The producer's side of a broker. It holds nothing that Postgres does not know: losing all of it loses no job.
 * Every call has a time limit and rejects when the broker does not answer in it.
 */
export interface DeliveryQueue {
  /** Adding a delivery that is still there is a silent no-op. */
  deliver(queue: QueueName, deliveries: readonly Delivery[]): Promise<void>;
  /** Takes a delivery out that no worker has fetched yet; otherwise nothing happens. */
  remove(queue: QueueName, jobId: string, delivery: number): Promise<void>;
  /** Deliveries in the broker: waiting to be fetched, and fetched and not ended. The sentinel does not count. */
  counts(queue: QueueName): Promise<{ waiting: number; active: number }>;
  /** Which of these the broker does not hold: neither waiting to be fetched, nor fetched and not ended. */
  missing<T extends DeliveryRef>(queue: QueueName, deliveries: readonly T[]): Promise<T[]>;
  /**
   * Lets the idle worker that is next in line for a delivery go to the end, or some of them. A broker that asks the
   * longest-waiting first can otherwise ask the same one each time.
   */
  pass(queue: QueueName): Promise<void>;
  /** Puts a new sentinel into the queue: while it is found, the broker has not lost its contents. @returns its epoch */
  plantEpoch(queue: QueueName): Promise<string>;
  hasEpoch(queue: QueueName, epoch: string): Promise<boolean>;
  close(): Promise<void>;
}

/** Id of a delivery inside the broker. No colon: BullMQ keeps that for itself. */
export function deliveryId(jobId: string, delivery: number): string {
  return `${jobId}-${delivery}`;
}
