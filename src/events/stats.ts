/** What went wrong since the bus was opened: hints may be lost, but not without being counted. */
export interface BusStats {
  /** Payloads or messages from the broker that nobody here can read */
  malformed: number;
  /** Messages that had to make room in the full outgoing buffer, or were too large to travel at all */
  dropped: number;
  /** Payloads that the broker did not take */
  failed: number;
  /** Listeners that threw */
  listenerErrors: number;
  /** How long the oldest message of the last payload had waited when the broker had taken it, in ms */
  publishLagMs: number;
}

export function noTrouble(): BusStats {
  return { malformed: 0, dropped: 0, failed: 0, listenerErrors: 0, publishLagMs: 0 };
}
