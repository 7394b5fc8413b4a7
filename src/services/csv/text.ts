import { isAscii } from 'node:buffer';
import iconv from 'iconv-lite';
import { type Encoding, guessByteEncoding } from './encoding.ts';

/** Bytes from the first one that is not ASCII that decide between UTF-8 and Windows-1252 */
export const GUESS_WINDOW_BYTES = 64 * 1024;

/** Turns chunks of bytes into text. The text is the same however the bytes are cut into chunks. */
export interface TextDecoding {
  /** Text that is certain by now: some bytes may be held back until more come. */
  write(chunk: Buffer): string;
  /** The rest, after the last chunk. */
  end(): string;
}

/**
 * Decodes a known encoding, or, given null, ASCII that may turn out to be UTF-8 or Windows-1252: nothing is decided
 * before the first byte beyond ASCII, however late it comes, and up to there both read the same. From there on a
 * window of 64 kB decides (`guessByteEncoding`). Bytes that are faulty in the chosen encoding become U+FFFD.
 * NUL characters are dropped: Postgres cannot store them.
 */
export function createDecoding(encoding: Encoding | null): TextDecoding {
  const inner = encoding === null ? new AsciiUntilProven() : decodingOf(encoding);
  return { write: (chunk) => withoutNul(inner.write(chunk)), end: () => withoutNul(inner.end()) };
}

function decodingOf(encoding: Encoding): TextDecoding {
  if (encoding === 'windows-1252') {
    // One byte, one character: no state. TextDecoder takes Windows-1252 for Latin-1 in some releases of Node 24.
    return { write: (chunk) => iconv.decode(chunk, encoding), end: () => '' };
  }
  const decoder = new TextDecoder(encoding, { ignoreBOM: true });
  return { write: (chunk) => decoder.decode(chunk, { stream: true }), end: () => decoder.decode() };
}

class AsciiUntilProven implements TextDecoding {
  private proven: TextDecoding | null = null;
  private window: Buffer[] = [];
  private windowBytes = 0;

  write(chunk: Buffer): string {
    if (this.proven) return this.proven.write(chunk);
    if (this.windowBytes === 0) {
      if (isAscii(chunk)) return chunk.toString('latin1');
      const first = chunk.findIndex((byte) => byte >= 0x80);
      return chunk.toString('latin1', 0, first) + this.widen(chunk.subarray(first));
    }
    return this.widen(chunk);
  }

  end(): string {
    const rest = this.windowBytes > 0 ? this.prove() : '';
    return rest + (this.proven?.end() ?? '');
  }

  private widen(bytes: Buffer): string {
    this.window.push(bytes);
    this.windowBytes += bytes.length;
    return this.windowBytes >= GUESS_WINDOW_BYTES ? this.prove() : '';
  }

  private prove(): string {
    const bytes = Buffer.concat(this.window);
    this.window = [];
    this.windowBytes = 0;
    this.proven = decodingOf(guessByteEncoding(bytes.subarray(0, GUESS_WINDOW_BYTES)));
    return this.proven.write(bytes);
  }
}

function withoutNul(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '') : text;
}
