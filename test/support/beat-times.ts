import type { BeatTimes } from '../../worker/beat.ts';

/** Beats and takeovers ten times as fast as in production. */
export const FAST_TIMES: BeatTimes = { beatMs: 500, staleMs: 1_500 };
