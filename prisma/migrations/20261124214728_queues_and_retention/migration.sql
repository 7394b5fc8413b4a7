-- AlterTable
ALTER TABLE "organizations" ADD COLUMN     "job_retention_days" INTEGER DEFAULT 30;

-- AlterTable
ALTER TABLE "queues" ADD COLUMN     "changed_at" TIMESTAMPTZ(3),
ADD COLUMN     "changed_by" TEXT,
ADD COLUMN     "draining" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "pause_reason" TEXT,
ADD COLUMN     "paused_by" TEXT;

-- AlterTable
ALTER TABLE "uploads" ALTER COLUMN "expires_at" DROP NOT NULL;

-- CreateTable
CREATE TABLE "stopped_workers" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "kinds" JSONB NOT NULL,
    "queues" TEXT[],
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "beat_at" TIMESTAMPTZ(3) NOT NULL,
    "stopped_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lost" BOOLEAN NOT NULL,

    CONSTRAINT "stopped_workers_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "queue_stats" (
    "organization_id" UUID NOT NULL,
    "queue" TEXT NOT NULL,
    "minute" TIMESTAMPTZ(0) NOT NULL,
    "kind" TEXT NOT NULL,
    "finished" INTEGER NOT NULL,
    "failed" INTEGER NOT NULL,
    "wait_buckets" INTEGER[],
    "wait_counts" INTEGER[],
    "run_buckets" INTEGER[],
    "run_counts" INTEGER[],

    CONSTRAINT "queue_stats_pkey" PRIMARY KEY ("organization_id","queue","minute","kind")
);

-- CreateTable
CREATE TABLE "upkeep_marks" (
    "name" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "upkeep_marks_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "job_uploads" (
    "organization_id" UUID NOT NULL,
    "job_id" UUID NOT NULL,
    "upload_id" UUID NOT NULL,

    CONSTRAINT "job_uploads_pkey" PRIMARY KEY ("job_id","upload_id")
);

-- CreateTable
CREATE TABLE "storage_removals" (
    "storage_key" TEXT NOT NULL,
    "due_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "tries" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "storage_removals_pkey" PRIMARY KEY ("storage_key")
);

-- CreateIndex
CREATE INDEX "stopped_workers_stopped_at_idx" ON "stopped_workers"("stopped_at");

-- CreateIndex
CREATE INDEX "queue_stats_minute_idx" ON "queue_stats"("minute");

-- CreateIndex
CREATE INDEX "job_uploads_organization_id_upload_id_idx" ON "job_uploads"("organization_id", "upload_id");

-- CreateIndex
CREATE INDEX "storage_removals_due_at_idx" ON "storage_removals"("due_at");

-- CreateIndex
CREATE INDEX "uploads_expires_at_idx" ON "uploads"("expires_at");

-- AddForeignKey
ALTER TABLE "queue_stats" ADD CONSTRAINT "queue_stats_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "job_uploads" ADD CONSTRAINT "job_uploads_organization_id_job_id_fkey" FOREIGN KEY ("organization_id", "job_id") REFERENCES "jobs"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "job_uploads" ADD CONSTRAINT "job_uploads_organization_id_upload_id_fkey" FOREIGN KEY ("organization_id", "upload_id") REFERENCES "uploads"("organization_id", "id") ON DELETE NO ACTION ON UPDATE CASCADE;

-- ── Written by hand: what schema.prisma cannot say ──────────────────────────────────────────────────────────────────

-- Retention and the rollup of minutes read what was settled by when, organization by organization: each has a policy of
-- its own, and one that keeps its jobs for ever must not stand in the way of the others.
CREATE INDEX "jobs_settled" ON "jobs" ("organization_id", "completed_at")
  WHERE "completed_at" IS NOT NULL AND NOT "internal";

-- The system's own jobs have one policy for all.
CREATE INDEX "jobs_settled_internal" ON "jobs" ("completed_at")
  WHERE "completed_at" IS NOT NULL AND "internal";

ALTER TABLE "organizations"
  ADD CONSTRAINT "organizations_retention_in_range" CHECK ("job_retention_days" BETWEEN 1 AND 3650);

ALTER TABLE "queues"
  ADD CONSTRAINT "queues_concurrency_in_range" CHECK ("concurrency" BETWEEN 1 AND 500),
  -- A drain is a pause that also takes back: whoever looks at paused_at alone holds both.
  ADD CONSTRAINT "queues_draining_is_paused" CHECK (NOT "draining" OR "paused_at" IS NOT NULL),
  ADD CONSTRAINT "queues_reason_of_a_pause" CHECK ("paused_at" IS NOT NULL OR ("paused_by" IS NULL AND "pause_reason" IS NULL));

ALTER TABLE "queue_stats"
  ADD CONSTRAINT "queue_stats_histograms_match" CHECK (
    cardinality("wait_buckets") = cardinality("wait_counts") AND cardinality("run_buckets") = cardinality("run_counts")
  );

-- The minutes before this migration are not counted.
INSERT INTO "upkeep_marks" ("name", "at") VALUES ('queue_stats', now());

-- Jobs that are there already name their uploads in the one kind that had any.
INSERT INTO "job_uploads" ("organization_id", "job_id", "upload_id")
SELECT "jobs"."organization_id", "jobs"."id", "uploads"."id"
FROM "jobs" JOIN "uploads"
  ON "uploads"."organization_id" = "jobs"."organization_id"
 AND "uploads"."id"::text = "jobs"."input" -> 'source' ->> 'uploadId'
WHERE "jobs"."kind" = 'product_import';
UPDATE "uploads" SET "expires_at" = NULL
WHERE EXISTS (SELECT 1 FROM "job_uploads" WHERE "upload_id" = "uploads"."id");
