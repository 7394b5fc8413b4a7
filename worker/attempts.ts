import { AttemptStopped, type StopReason } from './stop-reason.ts';

interface Running {
  readonly jobId: string;
  readonly delivery: number;
  readonly controller: AbortController;
  readonly timer: NodeJS.Timeout;
}

export interface AttemptHandle {
  readonly signal: AbortSignal;
  end(): void;
}

/** What this process runs just now: the one place that can tell an attempt to stop. */
export class Attempts {
  private readonly running = new Map<string, Running>();

  begin(jobId: string, delivery: number, timeoutMs: number): AttemptHandle {
    const controller = new AbortController();
    const key = keyOf(jobId, delivery);
    const timer = setTimeout(() => this.stop(jobId, delivery, 'timeout'), timeoutMs);
    this.running.set(key, { jobId, delivery, controller, timer });
    return {
      signal: controller.signal,
      end: () => {
        clearTimeout(timer);
        this.running.delete(key);
      },
    };
  }

  /** The first reason stands. @returns whether this was the first, and the attempt runs here */
  stop(jobId: string, delivery: number, reason: StopReason): boolean {
    const controller = this.running.get(keyOf(jobId, delivery))?.controller;
    if (!controller || controller.signal.aborted) return false;
    controller.abort(new AttemptStopped(reason));
    return true;
  }

  stopAll(reason: StopReason): void {
    for (const { controller } of this.running.values()) controller.abort(new AttemptStopped(reason));
  }

  list(): { jobId: string; delivery: number }[] {
    return [...this.running.values()].map(({ jobId, delivery }) => ({ jobId, delivery }));
  }

  has(jobId: string, delivery: number): boolean {
    return this.running.has(keyOf(jobId, delivery));
  }
}

const keyOf = (jobId: string, delivery: number): string => `${jobId}-${delivery}`;
