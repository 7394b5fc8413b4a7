import { ProviderError } from './provider-error.ts';

/** Thrown by a pull whose provider no longer knows where it was; the port begins anew and nobody else sees it. */
export class CursorLost extends Error {
  override readonly name = 'CursorLost';
  /** What the provider said: told when beginning anew is refused too */
  readonly refusal: ProviderError;
  /** Cursor to begin at; null: from the beginning */
  readonly beginAt: unknown;

  constructor(refusal: ProviderError, beginAt: unknown = null) {
    super(refusal.message, { cause: refusal });
    this.refusal = refusal;
    this.beginAt = beginAt;
  }
}

/** The first request of a pull that goes on from a stored cursor: refused as a bad one, the cursor may be why. */
export async function resuming<Answer>(asked: Promise<Answer>, beginAt: unknown): Promise<Answer> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ProviderError && error.kind === 'bad_request') throw new CursorLost(error, beginAt);
    throw error;
  }
}
