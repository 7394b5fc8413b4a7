import { z } from 'zod';
import type { Log } from '../lib/log.ts';
import {
  EVERY_KEY,
  TOPICS,
  type BusDelivery,
  type BusListener,
  type Topic,
  type TopicMessage,
} from './bus.ts';
import type { BusStats } from './stats.ts';
import { decodePayload } from './wire.ts';

/** The in-memory half of a bus: topic → key → listeners. */
export interface Dispatch {
  on<T extends Topic>(topic: T, key: string, listener: BusListener<T>): () => void;
  /** A payload as it came from the broker; what cannot be read is counted and dropped. */
  receive(payload: string): void;
  /** Tells every listener that messages may have been lost. */
  gap(): void;
  /** Listeners attached now */
  readonly listeners: number;
  clear(): void;
}

export function createDispatch(log: Log, stats: BusStats): Dispatch {
  const onError = (error: unknown): void => {
    stats.listenerErrors += 1;
    log.error({ err: error }, 'a listener of the event bus threw');
  };
  const topics: { readonly [T in Topic]: TopicListeners<T> } = {
    jobEvent: new TopicListeners(TOPICS.jobEvent, onError),
    jobCancel: new TopicListeners(TOPICS.jobCancel, onError),
    jobChange: new TopicListeners(TOPICS.jobChange, onError),
    notification: new TopicListeners(TOPICS.notification, onError),
    panelChange: new TopicListeners(TOPICS.panelChange, onError),
  };
  const all = Object.values(topics);
  const gap = (): void => all.forEach((topic) => topic.gap());
  const receiveMessage = (raw: unknown): boolean => {
    const parsed = wireMessage.safeParse(raw);
    if (!parsed.success) return false;
    const [topic, key, message] = parsed.data;
    const isRead = topics[topic].receive(key, message);
    if (topic === 'jobEvent') changed(key, message);
    return isRead;
  };
  /** An event of a job is word of the job's change too: one message travels for both. */
  const changed = (jobId: string, message: unknown): void => {
    if (topics.jobChange.size === 0) return;
    const parsed = eventOwner.safeParse(message);
    if (parsed.success) topics.jobChange.receive(parsed.data.organizationId, { jobId });
  };
  return {
    on: (topic, key, listener) => topics[topic].add(key, listener),
    receive(payload) {
      const decoded = decodePayload(payload);
      if (decoded?.gap) gap();
      const unread = decoded ? decoded.messages.filter((message) => !receiveMessage(message)).length : 1;
      if (unread === 0) return;
      stats.malformed += unread;
      log.warn({ unread, bytes: payload.length }, 'messages on the event bus could not be read');
    },
    gap,
    get listeners() {
      return all.reduce((sum, topic) => sum + topic.size, 0);
    },
    clear: () => all.forEach((topic) => topic.clear()),
  };
}

const topicName = z.keyof(z.object(TOPICS)) satisfies z.ZodType<Topic>;
const eventOwner = z.object({ organizationId: z.string() });
const wireMessage = z.tuple([topicName, z.string().min(1), z.unknown()]);

/** Listeners of one topic, by key. */
class TopicListeners<T extends Topic> {
  readonly #schema: z.ZodType<TopicMessage<T>>;
  readonly #onError: (error: unknown) => void;
  readonly #byKey = new Map<string, Set<BusListener<T>>>();
  size = 0;

  constructor(schema: z.ZodType<TopicMessage<T>>, onError: (error: unknown) => void) {
    this.#schema = schema;
    this.#onError = onError;
  }

  add(key: string, listener: BusListener<T>): () => void {
    const listeners = this.#byKey.get(key) ?? new Set<BusListener<T>>();
    this.#byKey.set(key, listeners);
    // A function of its own: the same listener may be attached twice and detached once.
    const attached: BusListener<T> = (delivery) => listener(delivery);
    listeners.add(attached);
    this.size += 1;
    return () => {
      if (!listeners.delete(attached)) return;
      this.size -= 1;
      if (listeners.size === 0 && this.#byKey.get(key) === listeners) this.#byKey.delete(key);
    };
  }

  /** @returns false when the message cannot be read; one that nobody listens to is not looked at */
  receive(key: string, raw: unknown): boolean {
    const some = [...(this.#byKey.get(key) ?? []), ...(this.#byKey.get(EVERY_KEY) ?? [])];
    if (some.length === 0) return true;
    const parsed = this.#schema.safeParse(raw);
    if (!parsed.success) return false;
    this.#call(some, { type: 'message', key, message: parsed.data });
    return true;
  }

  gap(): void {
    this.#call(
      [...this.#byKey.values()].flatMap((listeners) => [...listeners]),
      { type: 'gap' },
    );
  }

  clear(): void {
    this.#byKey.clear();
    this.size = 0;
  }

  #call(listeners: readonly BusListener<T>[], delivery: BusDelivery<T>): void {
    for (const listener of listeners) {
      try {
        listener(delivery);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
