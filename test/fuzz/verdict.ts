import { z } from 'zod';
import { leaksOf } from '../support/leaks.ts';

/** An answer over whichever transport; status 200 where the transport has none. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

const coded = z.object({ code: z.string().regex(/^[A-Z][A-Z_]+$/) });
const graphqlErrors = z.object({ errors: z.array(z.object({ extensions: coded })) });
/** Of a fault of ours; on a busy machine the database may be slow to take a connection, which is told as UNAVAILABLE. */
const FAULT = /"code":"(?:INTERNAL\w*|UNEXPECTED\w*)"/;
const AWAY = '"code":"UNAVAILABLE"';

/** What is wrong with an answer, in words; [] when nothing is. */
export function faultsOf({ status, body }: Answer): string[] {
  return [
    ...(FAULT.test(body) ? [`a defect: ${excerpt(body)}`] : []),
    ...(status >= 500 && !body.includes(AWAY) ? [`status ${status}: ${excerpt(body)}`] : []),
    ...(hasUncoded(body) ? [`an error without a code: ${excerpt(body)}`] : []),
    ...leaksOf(body),
  ];
}

const excerpt = (body: string): string => body.slice(0, 600);

function hasUncoded(body: string): boolean {
  if (!body.includes('"errors"')) return false;
  const parsed = parse(body);
  const withErrors = z.object({ errors: z.array(z.unknown()) }).safeParse(parsed);
  return withErrors.success && !graphqlErrors.safeParse(parsed).success;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
