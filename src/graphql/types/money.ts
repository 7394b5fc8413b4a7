import type { Money as MoneyShape } from '../../domain/money.ts';
import { builder } from '../builder.ts';

export const Money = builder.objectRef<MoneyShape>('Money').implement({
  description: 'An exact amount in one currency.',
  fields: (t) => ({
    amount: t.expose('amount', {
      type: 'Decimal',
      description: 'With at least the digits that the currency is written with',
    }),
    currency: t.exposeString('currency', { description: 'ISO 4217' }),
  }),
});
