import { performance } from 'node:perf_hooks';

const TICK_MS = 250;
const WINDOW_MS = 10_000;

/** How long the event loop has kept a timer waiting: computing handlers, garbage, a machine that is too small. */
export class LoopLag {
  private readonly timer: NodeJS.Timeout;
  private dueMs = performance.now() + TICK_MS;
  private windowEndsMs = performance.now() + WINDOW_MS;
  private worstMs = 0;
  private worstBeforeMs = 0;

  constructor() {
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.timer.unref();
  }

  /** The longest wait of the last 10 to 20 seconds, in ms, the present one included */
  recentMs(): number {
    return Math.max(this.worstMs, this.worstBeforeMs, performance.now() - this.dueMs, 0);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private tick(): void {
    const nowMs = performance.now();
    this.worstMs = Math.max(this.worstMs, nowMs - this.dueMs);
    this.dueMs = nowMs + TICK_MS;
    if (nowMs < this.windowEndsMs) return;
    this.windowEndsMs = nowMs + WINDOW_MS;
    this.worstBeforeMs = this.worstMs;
    this.worstMs = 0;
  }
}
