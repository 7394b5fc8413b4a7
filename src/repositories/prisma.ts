import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '../generated/prisma/client.ts';
import type { Database } from './db.ts';

/**
 * Prisma on the process' own pool. Only the API opens it: object types and ordinary lists select by it what a query
 * asks for. A worker speaks SQL alone, and is 15 MB smaller for it.
 */
export function openPrisma(db: Database): PrismaClient {
  return new PrismaClient({ adapter: new PrismaPg(db.pool, { disposeExternalPool: false }) });
}

export type { PrismaClient };
