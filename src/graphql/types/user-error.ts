import {
  USER_ERROR_CODES,
  type UserError as UserErrorShape,
  type UserErrorCode as Code,
} from '../../domain/errors.ts';
import { builder } from '../builder.ts';

const DESCRIPTIONS: { readonly [C in Code]: string } = {
  INVALID: 'A value is not what is expected there',
  NOT_FOUND: 'There is no such thing in this organization',
  CONFLICT: 'The state of things does not allow it, or no longer',
  IDEMPOTENCY_CONFLICT: 'The idempotency key was used with other input',
  NOT_ALLOWED: 'This cannot be done with it',
  RATE_LIMITED: 'Too often; try again later',
  LIMIT_REACHED: 'A limit of the organization is reached',
  NOT_CONNECTED: 'The account that it needs is not connected',
  TOO_LARGE: 'Larger than what is accepted',
  EXPIRED: 'It was there and is no longer kept',
  UNAVAILABLE: 'Not possible just now; try again',
};

const UserErrorCode = builder.enumType('UserErrorCode', {
  description: "What a person's mistake is; more codes may come.",
  values: Object.fromEntries(
    USER_ERROR_CODES.map((code) => [code, { value: code, description: DESCRIPTIONS[code] }]),
  ),
});

export const UserError = builder.objectRef<UserErrorShape>('UserError').implement({
  description: 'A mistake that a person can mend.',
  fields: (t) => ({
    field: t.stringList({
      nullable: true,
      description: 'Path into the mutation\'s arguments, e.g. ["input", "source", "url"]',
      resolve: (error) => (error.field ? [...error.field] : null),
    }),
    code: t.field({ type: UserErrorCode, description: 'For programs', resolve: (error) => error.code }),
    message: t.exposeString('message', { description: 'For people' }),
  }),
});
