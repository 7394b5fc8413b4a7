import { GraphQLError } from 'graphql';
import { z } from 'zod';
import { builder } from './builder.ts';

/** What GraphQL calls with anything a client sent; a refusal names the scalar and what it expects. */
function parser<T>(name: string, schema: z.ZodType<T>, expected: string): (value: unknown) => T {
  return (value) => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new GraphQLError(
      `${name} cannot represent ${JSON.stringify(value) ?? 'this'}: expected ${expected}.`,
    );
  };
}

builder.scalarType('DateTime', {
  description: 'A moment by RFC 3339, answered in UTC with milliseconds: 2026-01-31T12:00:00.000Z.',
  serialize: (value) => value.toISOString(),
  parseValue: parser(
    'DateTime',
    z.iso.datetime({ offset: true }).transform((text) => new Date(text)),
    'a moment by RFC 3339 such as 2026-01-31T12:00:00Z',
  ),
});

builder.scalarType('Date', {
  description: 'A day of the calendar: YYYY-MM-DD.',
  serialize: (value) => value,
  parseValue: parser('Date', z.iso.date(), 'a day such as 2026-01-31'),
});

builder.scalarType('Decimal', {
  description: 'An exact decimal as a string, e.g. "12.50".',
  serialize: (value) => (typeof value === 'string' ? value : value.toFixed()),
  parseValue: parser(
    'Decimal',
    z
      .string()
      .max(100)
      .regex(/^-?\d+(\.\d+)?$/),
    'a decimal as a string such as "12.50"',
  ),
});

const safeInt = z.int();

builder.scalarType('SafeInt', {
  description: 'A whole number within ±(2^53 − 1), as a JSON number.',
  // A year's dashboard has thousands of them.
  serialize: (value) => (Number.isSafeInteger(value) ? Number(value) : safeInt.parse(Number(value))),
  parseValue: parser('SafeInt', safeInt, 'a whole number within ±(2^53 − 1)'),
});

builder.scalarType('JSON', {
  description: 'Any JSON value.',
  serialize: (value) => value,
  parseValue: (value) => value,
});
