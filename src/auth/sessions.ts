import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { startLoop, type Loop } from '../lib/loop.ts';
import { REVOCATION_DELAY_MS, type Authenticate, type Credentials, type Refusal } from './authentication.ts';
import type { Principal } from './principal.ts';

/** Twice in the time within which a revocation is noticed: what is found may be as old as the time between two looks. */
const LOOK_EVERY_MS = REVOCATION_DELAY_MS / 2;
/** Longest time that a timer takes; whoever has more is looked at again before. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/** A caller who stays: what they may do changes, and ends, while they do. */
export interface Session {
  /** As of the last look */
  readonly principal: Principal;
  /** Why it is over; null while it holds */
  readonly ended: Refusal | null;
  /** Forgets the caller; nothing is told any more. Safe to call twice. */
  release(): void;
}

/** Callers who stay connected. Each is looked at again and again, all of them in one statement. */
export class Sessions {
  readonly #authenticate: Authenticate;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #live = new Set<LiveSession>();
  readonly #loop: Loop;

  constructor({ authenticate, clock, log }: { authenticate: Authenticate; clock: Clock; log: Log }) {
    this.#authenticate = authenticate;
    this.#clock = clock;
    this.#log = log;
    this.#loop = startLoop({ name: 'sessions', everyMs: LOOK_EVERY_MS, log, run: () => this.#look() });
  }

  /** Callers who are looked after */
  get open(): number {
    return this.#live.size;
  }

  /** @param onEnd called once, when the caller may nothing any more */
  async begin(
    credentials: Credentials | null,
    onEnd: (refusal: Refusal) => void,
  ): Promise<{ readonly session: Session } | { readonly refusal: Refusal }> {
    const { principal, refusal } = await this.#authenticate(credentials);
    if (refusal) return { refusal };
    if (!credentials) throw new Error('somebody without credentials was let in');
    const session = new LiveSession(credentials, principal, onEnd, () => this.#live.delete(session));
    this.#live.add(session);
    session.endAt(principal.expiresAt, this.#clock);
    return { session };
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #look(): Promise<void> {
    await Promise.all([...this.#live].map((session) => this.#lookAt(session)));
  }

  async #lookAt(session: LiveSession): Promise<void> {
    try {
      const { principal, refusal } = await this.#authenticate(session.credentials, LOOK_EVERY_MS);
      if (refusal) session.end(refusal);
      else {
        session.principal = principal;
        session.endAt(principal.expiresAt, this.#clock);
      }
    } catch (err) {
      // Whoever was let in stays so while it cannot be known.
      this.#log.debug({ err }, 'a session could not be looked at');
    }
  }
}

const EXPIRED: Refusal = { code: 'UNAUTHENTICATED', message: 'The token has expired.' };

class LiveSession implements Session {
  readonly credentials: Credentials;
  principal: Principal;
  ended: Refusal | null = null;
  readonly #onEnd: (refusal: Refusal) => void;
  readonly #onRelease: () => void;
  #timer: NodeJS.Timeout | undefined;
  #isReleased = false;

  constructor(
    credentials: Credentials,
    principal: Principal,
    onEnd: (refusal: Refusal) => void,
    onRelease: () => void,
  ) {
    this.credentials = credentials;
    this.principal = principal;
    this.#onEnd = onEnd;
    this.#onRelease = onRelease;
  }

  endAt(expiresAt: Date | null, clock: Clock): void {
    clearTimeout(this.#timer);
    if (!expiresAt || this.#isReleased) return;
    const inMs = expiresAt.getTime() - clock.now().getTime();
    if (inMs > TIMER_MAX_MS) return;
    this.#timer = setTimeout(() => this.end(EXPIRED), Math.max(0, inMs));
    this.#timer.unref();
  }

  end(refusal: Refusal): void {
    if (this.#isReleased) return;
    this.ended = refusal;
    this.release();
    this.#onEnd(refusal);
  }

  release(): void {
    this.#isReleased = true;
    clearTimeout(this.#timer);
    this.#onRelease();
  }
}
