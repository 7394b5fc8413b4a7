import type { Log } from '../lib/log.ts';
import type { Broker } from './broker.ts';
import { openBullQueue } from './bullmq.ts';
import type { DeliveryQueue } from './queue.ts';

/** The process' one producer of deliveries. */
export function openQueue(broker: Broker, log: Log): DeliveryQueue {
  return openBullQueue(broker, log);
}
