import { z } from 'zod';

/** From the JSON key file of a service account that may view the property. */
const serviceAccount = z.object({
  clientEmail: z.email(),
  /** PEM, PKCS #8; its lines may be parted as in the key file, by a backslash and an n */
  privateKey: z
    .string()
    .transform((pem) => pem.replaceAll('\\n', '\n').trim())
    .refine((pem) => pem.startsWith('-----BEGIN PRIVATE KEY-----'), {
      error: 'expected a private key as PEM',
    }),
});

/** A person's consent to an OAuth client. */
const consent = z.object({
  clientId: z.string().min(1),
  clientSecret: z.string().min(1),
  refreshToken: z.string().min(1),
});

export const credentials = z.union([serviceAccount, consent]);
export type Credentials = z.infer<typeof credentials>;
export type ServiceAccount = z.infer<typeof serviceAccount>;
export type Consent = z.infer<typeof consent>;
