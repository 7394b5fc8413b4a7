import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BoundedBuffer } from '../../src/lib/bounded-buffer.ts';

const operation = fc.oneof(
  fc.record({ type: fc.constant('offer' as const), value: fc.nat() }),
  fc.record({ type: fc.constant('push' as const), value: fc.nat() }),
  fc.record({ type: fc.constantFrom('shift' as const, 'peek' as const, 'clear' as const) }),
);

describe('a bounded buffer', () => {
  test('behaves as a list of limited length', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.array(operation, { maxLength: 60 }),
        (capacity, operations) => {
          const buffer = new BoundedBuffer<number>(capacity);
          let model: number[] = [];
          for (const step of operations) {
            if (step.type === 'offer') {
              expect(buffer.offer(step.value)).toBe(model.length < capacity);
              if (model.length < capacity) model.push(step.value);
            } else if (step.type === 'push') {
              expect(buffer.push(step.value)).toBe(model.length === capacity ? 1 : 0);
              model = [...model, step.value].slice(-capacity);
            } else if (step.type === 'shift') expect(buffer.shift()).toBe(model.shift());
            else if (step.type === 'peek') expect(buffer.peek()).toBe(model[0]);
            else {
              buffer.clear();
              model = [];
            }
            expect(buffer.size).toBe(model.length);
          }
        },
      ),
    );
  });

  test('refuses a capacity that holds nothing', () => {
    expect(() => new BoundedBuffer(0)).toThrow('expected a capacity of 1 or more, got 0');
  });
});
