import { defineConfig } from 'prisma/config';

/** Only `prisma generate` and a user's own Prisma CLI read this; Millrace itself connects by src/config.ts. */
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
});
