-- CreateEnum
CREATE TYPE "wait_cause" AS ENUM ('retry', 'rate_limit', 'children');

-- AlterTable
ALTER TABLE "jobs" ADD COLUMN     "cancel_acknowledged_at" TIMESTAMPTZ(3),
ADD COLUMN     "waiting_for" "wait_cause";

-- ── Written by hand: what schema.prisma cannot say ──────────────────────────────────────────────────────────────────

-- Parents that wait: looked at every second, so that none waits for children which are settled.
CREATE INDEX "jobs_waiting_parents" ON "jobs" ("id") WHERE "status" = 'pending' AND "waiting_for" = 'children';

-- Whether a parent has a child that is not settled.
CREATE INDEX "jobs_live_children" ON "jobs" ("parent_id") WHERE "parent_id" IS NOT NULL AND "status" IN ('pending', 'running');

-- Only what is pending waits.
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_only_pending_waits" CHECK ("waiting_for" IS NULL OR "status" = 'pending');
