-- CreateEnum
CREATE TYPE "notification_type" AS ENUM ('job_failed', 'job_completed_with_warnings', 'digest');

-- CreateEnum
CREATE TYPE "notification_channel" AS ENUM ('in_app', 'email');

-- CreateEnum
CREATE TYPE "webhook_disabled_reason" AS ENUM ('manual', 'gone', 'failing');

-- CreateEnum
CREATE TYPE "webhook_delivery_status" AS ENUM ('pending', 'delivered', 'failed');

-- AlterTable
ALTER TABLE "jobs" ADD COLUMN     "notified_at" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "notifications" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "recipient_id" UUID NOT NULL,
    "user_id" UUID,
    "type" "notification_type" NOT NULL,
    "job_id" UUID,
    "title" TEXT NOT NULL,
    "body" TEXT NOT NULL,
    "digest_kinds" JSONB,
    "closes_at" TIMESTAMPTZ(3),
    "sent_at" TIMESTAMPTZ(3),
    "in_app" BOOLEAN NOT NULL,
    "email" BOOLEAN NOT NULL,
    "emailed_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "read_at" TIMESTAMPTZ(3),

    CONSTRAINT "notifications_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "notification_preferences" (
    "organization_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "type" "notification_type" NOT NULL,
    "job_kind" TEXT NOT NULL,
    "channel" "notification_channel" NOT NULL,
    "enabled" BOOLEAN NOT NULL,

    CONSTRAINT "notification_preferences_pkey" PRIMARY KEY ("organization_id","user_id","type","job_kind","channel")
);

-- CreateTable
CREATE TABLE "webhook_endpoints" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "url" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "event_types" TEXT[],
    "secret" TEXT NOT NULL,
    "previous_secret" TEXT,
    "previous_secret_expires_at" TIMESTAMPTZ(3),
    "disabled_at" TIMESTAMPTZ(3),
    "disabled_reason" "webhook_disabled_reason",
    "failures" INTEGER NOT NULL DEFAULT 0,
    "failing_since" TIMESTAMPTZ(3),
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "webhook_endpoints_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "webhook_deliveries" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "endpoint_id" UUID NOT NULL,
    "event_id" UUID NOT NULL,
    "event_type" TEXT NOT NULL,
    "job_id" UUID,
    "payload" JSONB NOT NULL,
    "status" "webhook_delivery_status" NOT NULL DEFAULT 'pending',
    "carrier_job_id" UUID NOT NULL,
    "next_attempt_at" TIMESTAMPTZ(3),
    "response_code" INTEGER,
    "error_message" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "delivered_at" TIMESTAMPTZ(3),

    CONSTRAINT "webhook_deliveries_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "webhook_attempts" (
    "delivery_id" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "duration_ms" INTEGER NOT NULL,
    "response_code" INTEGER,
    "error_message" TEXT,

    CONSTRAINT "webhook_attempts_pkey" PRIMARY KEY ("delivery_id","number")
);

-- CreateIndex
CREATE INDEX "notifications_organization_id_recipient_id_created_at_idx" ON "notifications"("organization_id", "recipient_id", "created_at");

-- CreateIndex
CREATE INDEX "notifications_created_at_idx" ON "notifications"("created_at");

-- CreateIndex
CREATE INDEX "notifications_user_id_idx" ON "notifications"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "notifications_job_id_recipient_id_key" ON "notifications"("job_id", "recipient_id");

-- CreateIndex
CREATE UNIQUE INDEX "webhook_endpoints_organization_id_id_key" ON "webhook_endpoints"("organization_id", "id");

-- CreateIndex
CREATE INDEX "webhook_deliveries_organization_id_endpoint_id_id_idx" ON "webhook_deliveries"("organization_id", "endpoint_id", "id");

-- CreateIndex
CREATE INDEX "webhook_deliveries_created_at_idx" ON "webhook_deliveries"("created_at");

-- CreateIndex
CREATE UNIQUE INDEX "webhook_deliveries_endpoint_id_event_id_key" ON "webhook_deliveries"("endpoint_id", "event_id");

-- AddForeignKey
ALTER TABLE "notifications" ADD CONSTRAINT "notifications_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "notifications" ADD CONSTRAINT "notifications_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "notifications" ADD CONSTRAINT "notifications_organization_id_job_id_fkey" FOREIGN KEY ("organization_id", "job_id") REFERENCES "jobs"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "notification_preferences" ADD CONSTRAINT "notification_preferences_organization_id_user_id_fkey" FOREIGN KEY ("organization_id", "user_id") REFERENCES "memberships"("organization_id", "user_id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "webhook_endpoints" ADD CONSTRAINT "webhook_endpoints_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_organization_id_endpoint_id_fkey" FOREIGN KEY ("organization_id", "endpoint_id") REFERENCES "webhook_endpoints"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "webhook_attempts" ADD CONSTRAINT "webhook_attempts_delivery_id_fkey" FOREIGN KEY ("delivery_id") REFERENCES "webhook_deliveries"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- ---------------------------------------------------------------------------------------------------------------------
-- By hand: what Prisma cannot say.
-- ---------------------------------------------------------------------------------------------------------------------

-- Jobs that ended before there were notices tell nobody now.
UPDATE "jobs" SET "notified_at" = now() WHERE "status" IN ('failed', 'completed_with_warnings');

-- Ends that nobody was told of yet, oldest first: as good as empty, whatever the table holds.
CREATE INDEX "jobs_to_notify" ON "jobs" ("completed_at", "id")
  WHERE "notified_at" IS NULL AND NOT "internal" AND "parent_id" IS NULL
    AND "status" IN ('failed', 'completed_with_warnings');

-- A recipient's list, newest first, and what of it is unread.
CREATE INDEX "notifications_list" ON "notifications" ("organization_id", "recipient_id", "id" DESC) WHERE "in_app";
CREATE INDEX "notifications_unread" ON "notifications" ("organization_id", "recipient_id", "id" DESC)
  WHERE "in_app" AND "read_at" IS NULL;

-- Digests that still collect or wait to be sent: one per recipient.
CREATE UNIQUE INDEX "notifications_open_digest" ON "notifications" ("organization_id", "recipient_id")
  WHERE "closes_at" IS NOT NULL AND "sent_at" IS NULL;

ALTER TABLE "notifications"
  ADD CONSTRAINT "notifications_recipient" CHECK ("recipient_id" = coalesce("user_id", "organization_id")),
  ADD CONSTRAINT "notifications_of_a_job_or_of_many" CHECK (
    ("type" = 'digest') = ("job_id" IS NULL)
    AND ("type" = 'digest') = ("digest_kinds" IS NOT NULL)
    AND ("type" = 'digest') = ("closes_at" IS NOT NULL)
  );
-- A digest has no preferences of its own: it stands for notices that have.
ALTER TABLE "notification_preferences" ADD CONSTRAINT "notification_preferences_of_jobs" CHECK ("type" <> 'digest');

-- Deliveries whose carrier was lost, for the look that ends them.
CREATE INDEX "webhook_deliveries_pending" ON "webhook_deliveries" ("carrier_job_id") WHERE "status" = 'pending';

ALTER TABLE "webhook_endpoints"
  ALTER COLUMN "event_types" SET NOT NULL,
  ADD CONSTRAINT "webhook_endpoints_disabled_why" CHECK (("disabled_at" IS NULL) = ("disabled_reason" IS NULL)),
  ADD CONSTRAINT "webhook_endpoints_previous_expires" CHECK (
    ("previous_secret" IS NULL) = ("previous_secret_expires_at" IS NULL)
  );
ALTER TABLE "webhook_deliveries"
  ADD CONSTRAINT "webhook_deliveries_delivered_has_time" CHECK (("status" = 'delivered') = ("delivered_at" IS NOT NULL));
ALTER TABLE "webhook_attempts" ADD CONSTRAINT "webhook_attempts_number_positive" CHECK ("number" >= 1);
