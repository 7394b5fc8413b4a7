import { describe, expect, it } from 'vitest';
import { fitLimits } from '../../worker/queue-limits.ts';

const defaults = { default: 10, long_running: 2, scheduled: 2, internal: 2 };

describe('the limits of queues', () => {
  it('are what was asked for while there is room', () => {
    expect(fitLimits({ ...defaults, default: 14 }, defaults, 20)).toEqual({
      limits: { ...defaults, default: 14 },
      capped: [],
    });
  });

  it('are cut to the room, and say of which queue', () => {
    expect(fitLimits({ ...defaults, default: 50 }, defaults, 20)).toEqual({
      limits: { ...defaults, default: 14 },
      capped: ['default'],
    });
  });

  it('leave every other queue its default when one is raised', () => {
    const { limits, capped } = fitLimits({ ...defaults, default: 500, long_running: 500 }, defaults, 16);
    expect(limits).toEqual(defaults);
    expect(capped).toEqual(['default', 'long_running']);
  });

  it('give what a lowered queue leaves to one that was raised', () => {
    const { limits } = fitLimits({ ...defaults, default: 1, long_running: 9 }, defaults, 16);
    expect(limits).toEqual({ ...defaults, default: 1, long_running: 9 });
  });
});
