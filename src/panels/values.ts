import { z } from 'zod';

/** Whole numbers of things in the world; zod keeps them within ±(2^53 − 1), as the API's SafeInt does. */
export const count = z.int().nonnegative();

/** A day of the period, YYYY-MM-DD. */
export const day = z.iso.date();

/** As people read it: with so many digits behind the point. */
export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
