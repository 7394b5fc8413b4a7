-- AlterTable
ALTER TABLE "jobs" ADD COLUMN     "schedule_id" UUID,
ADD COLUMN     "scheduled_for" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "schedules" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "input" JSONB NOT NULL,
    "priority" SMALLINT NOT NULL DEFAULT 2,
    "cron" TEXT,
    "time_zone" TEXT,
    "every_seconds" INTEGER,
    "once_at" TIMESTAMPTZ(3),
    "anchor_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "paused_at" TIMESTAMPTZ(3),
    "next_due_at" TIMESTAMPTZ(3),
    "retry_at" TIMESTAMPTZ(3),
    "last_due_at" TIMESTAMPTZ(3),
    "last_error" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_by" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "deleted_at" TIMESTAMPTZ(3),

    CONSTRAINT "schedules_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "schedules_organization_id_id_key" ON "schedules"("organization_id", "id");

-- AddForeignKey
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_organization_id_schedule_id_fkey" FOREIGN KEY ("organization_id", "schedule_id") REFERENCES "schedules"("organization_id", "id") ON DELETE NO ACTION ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "schedules" ADD CONSTRAINT "schedules_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- ── Written by hand: what schema.prisma cannot say ──────────────────────────────────────────────────────────────────

-- A due time never starts two jobs, whatever a restored backup or a clock that jumps makes of next_due_at.
CREATE UNIQUE INDEX "jobs_schedule_due_once" ON "jobs" ("schedule_id", "scheduled_for")
  WHERE "schedule_id" IS NOT NULL AND "scheduled_for" IS NOT NULL;

-- A schedule's jobs, newest first; also what asks whether a deleted schedule has any left.
CREATE INDEX "jobs_schedule_newest" ON "jobs" ("schedule_id", "id" DESC) WHERE "schedule_id" IS NOT NULL;

-- What every worker asks each second: small, as a row is in it only while something is to come.
CREATE INDEX "schedules_due" ON "schedules" ("next_due_at") WHERE "next_due_at" IS NOT NULL;

-- A name is free again when its schedule is deleted.
CREATE UNIQUE INDEX "schedules_name" ON "schedules" ("organization_id", "name") WHERE "deleted_at" IS NULL;

-- What the pruner looks through.
CREATE INDEX "schedules_deleted" ON "schedules" ("deleted_at") WHERE "deleted_at" IS NOT NULL;

-- States that no code path may write, whatever else it gets wrong.
ALTER TABLE "jobs"
  ADD CONSTRAINT "jobs_scheduled_for_a_schedule" CHECK ("scheduled_for" IS NULL OR "schedule_id" IS NOT NULL);
ALTER TABLE "schedules"
  ADD CONSTRAINT "schedules_one_timing" CHECK (
    num_nonnulls("cron", "every_seconds", "once_at") = 1 AND ("cron" IS NULL) = ("time_zone" IS NULL)
  ),
  ADD CONSTRAINT "schedules_every_in_range" CHECK ("every_seconds" BETWEEN 10 AND 31622400),
  ADD CONSTRAINT "schedules_priority_known" CHECK ("priority" BETWEEN 1 AND 3),
  ADD CONSTRAINT "schedules_due_only_when_active" CHECK (
    "next_due_at" IS NULL OR ("paused_at" IS NULL AND "deleted_at" IS NULL)
  );
