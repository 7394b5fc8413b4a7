import type { Credentials } from '../../auth/authentication.ts';
import { EventStream } from './event-stream.ts';

/** A reservation is for the connection that follows it at once. */
const RESERVED_MS = 10_000;
/** Event streams, connected or reserved, in this process. */
const STREAMS_MAX = 10_000;

interface EventStreamsOptions {
  readonly reservedMs?: number;
  readonly max?: number;
  readonly maxPerOrganization: number;
}

/** The event streams of this process, by their tokens. */
export class EventStreams {
  readonly #streams = new Map<string, EventStream>();
  readonly #reservedMs: number;
  readonly #max: number;
  readonly #maxPerOrganization: number;

  constructor(options: EventStreamsOptions) {
    this.#reservedMs = options.reservedMs ?? RESERVED_MS;
    this.#max = options.max ?? STREAMS_MAX;
    this.#maxPerOrganization = options.maxPerOrganization;
  }

  get open(): number {
    return this.#streams.size;
  }

  /** @returns null when there are too many. @param onClose called once, when the stream is over */
  reserve(organizationId: string, credentials: Credentials, onClose: () => void): EventStream | null {
    if (this.#streams.size >= this.#max) return null;
    const own = [...this.#streams.values()].filter((stream) => stream.organizationId === organizationId);
    if (own.length >= this.#maxPerOrganization) return null;
    const stream = new EventStream({
      organizationId,
      credentials,
      reservedMs: this.#reservedMs,
      onClose: () => {
        this.#streams.delete(stream.token);
        onClose();
      },
    });
    this.#streams.set(stream.token, stream);
    return stream;
  }

  /** Somebody else's stream is as one that does not exist. */
  find(token: string, credentials: Credentials): EventStream | null {
    const stream = this.#streams.get(token);
    return stream?.belongsTo(credentials) ? stream : null;
  }
}
