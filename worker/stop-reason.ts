/** Why an attempt is told to stop: `lost` means that the job is no longer its own. */
export type StopReason = 'cancelled' | 'timeout' | 'shutdown' | 'lost';

/** The reason of an attempt's AbortSignal. */
export class AttemptStopped extends Error {
  override readonly name = 'AttemptStopped';
  readonly reason: StopReason;
  constructor(reason: StopReason) {
    super(`the attempt was told to stop: ${reason}`);
    this.reason = reason;
  }
}

export function stopReasonOf(signal: AbortSignal): StopReason | null {
  if (!signal.aborted) return null;
  return signal.reason instanceof AttemptStopped ? signal.reason.reason : 'shutdown';
}
