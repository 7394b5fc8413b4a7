import { z } from 'zod';

/** Where an account lives: "us6". It becomes a part of the host's name. */
export const dataCenter = z
  .string()
  .regex(/^[a-z]{2,6}\d{1,4}$/, { error: 'expected a data center such as "us6"' });

export const config = z.strictObject({ dataCenter: dataCenter.optional() });

export const credentials = z.union([
  z.strictObject({
    apiKey: z.string().regex(/^[\w]{8,200}-[a-z]{2,6}\d{1,4}$/, {
      error: 'expected an API key that ends with its data center, such as "-us6"',
    }),
  }),
  /** By OAuth; it does not expire */
  z.strictObject({ accessToken: z.string().regex(/^[\x21-\x7e]{1,500}$/), dataCenter }),
]);

export type Config = z.infer<typeof config>;
export type Credentials = z.infer<typeof credentials>;
