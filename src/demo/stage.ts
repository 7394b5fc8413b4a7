/** Where a tour is told: a terminal gets lines that move, a file gets one after the other. */
export interface Stage {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}
