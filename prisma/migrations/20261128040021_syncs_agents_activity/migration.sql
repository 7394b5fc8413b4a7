-- DropForeignKey
ALTER TABLE "orders" DROP CONSTRAINT "orders_organization_id_fkey";

-- AlterTable
ALTER TABLE "connection_cursors" ADD COLUMN     "failed_at" TIMESTAMPTZ(3),
ADD COLUMN     "failure_code" TEXT,
ADD COLUMN     "failure_message" TEXT,
ADD COLUMN     "feeds" TEXT,
ADD COLUMN     "synced_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "connections" ADD COLUMN     "is_erased" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "next_sync_at" TIMESTAMPTZ(3),
ADD COLUMN     "sync_from" DATE NOT NULL DEFAULT (CURRENT_DATE - 365),
ADD COLUMN     "sync_started_at" TIMESTAMPTZ(3),
ADD COLUMN     "webhook_secret" TEXT;

-- AlterTable
ALTER TABLE "organizations" ADD COLUMN     "revenue_sources" TEXT NOT NULL DEFAULT 'auto';

-- DropTable
DROP TABLE "orders";

-- CreateTable
CREATE TABLE "provider_events" (
    "organization_id" UUID NOT NULL,
    "connection_id" UUID NOT NULL,
    "event_id" TEXT NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "provider_events_pkey" PRIMARY KEY ("connection_id","event_id")
);

-- CreateTable
CREATE TABLE "connect_attempts" (
    "state_hash" BYTEA NOT NULL,
    "organization_id" UUID NOT NULL,
    "provider" TEXT NOT NULL,
    "config" JSONB NOT NULL,
    "verifier" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "connection_id" UUID,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "connect_attempts_pkey" PRIMARY KEY ("state_hash")
);

-- CreateTable
CREATE TABLE "provider_days" (
    "organization_id" UUID NOT NULL,
    "provider" TEXT NOT NULL,
    "day" DATE NOT NULL,
    "pages" BIGINT NOT NULL,
    "failures" BIGINT NOT NULL,
    "latency" JSONB NOT NULL,

    CONSTRAINT "provider_days_pkey" PRIMARY KEY ("organization_id","day","provider")
);

-- CreateTable
CREATE TABLE "agent_runs" (
    "organization_id" UUID NOT NULL,
    "run_key" TEXT NOT NULL,
    "agent" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "day" DATE NOT NULL,
    "succeeded" BOOLEAN NOT NULL,
    "duration_ms" BIGINT NOT NULL,
    "tokens" BIGINT NOT NULL,
    "cost" DECIMAL(30,6),
    "currency" TEXT NOT NULL,
    "recorded_by" TEXT NOT NULL,

    CONSTRAINT "agent_runs_pkey" PRIMARY KEY ("organization_id","run_key")
);

-- CreateTable
CREATE TABLE "agent_days" (
    "organization_id" UUID NOT NULL,
    "day" DATE NOT NULL,
    "agent" TEXT NOT NULL,
    "currency" TEXT NOT NULL,
    "runs" BIGINT NOT NULL,
    "succeeded" BIGINT NOT NULL,
    "tokens" BIGINT NOT NULL,
    "cost" DECIMAL(30,6) NOT NULL,
    "durations" JSONB NOT NULL,

    CONSTRAINT "agent_days_pkey" PRIMARY KEY ("organization_id","day","agent","currency")
);

-- CreateTable
CREATE TABLE "activities" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "is_audit" BOOLEAN NOT NULL,
    "object_type" TEXT,
    "object_id" TEXT,
    "succeeded" BOOLEAN NOT NULL,
    "summary" TEXT NOT NULL,
    "address" TEXT,
    "user_agent" TEXT,
    "request_id" TEXT,
    "details" JSONB,

    CONSTRAINT "activities_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "provider_events_received_at_idx" ON "provider_events"("received_at");

-- CreateIndex
CREATE UNIQUE INDEX "connect_attempts_id_key" ON "connect_attempts"("id");

-- CreateIndex
CREATE INDEX "connect_attempts_expires_at_idx" ON "connect_attempts"("expires_at");

-- CreateIndex
CREATE INDEX "agent_runs_organization_id_day_agent_idx" ON "agent_runs"("organization_id", "day", "agent");

-- CreateIndex
CREATE INDEX "activities_organization_id_id_idx" ON "activities"("organization_id", "id");

-- CreateIndex
CREATE INDEX "activities_organization_id_actor_id_idx" ON "activities"("organization_id", "actor", "id");

-- CreateIndex
CREATE INDEX "activities_organization_id_action_id_idx" ON "activities"("organization_id", "action", "id");

-- CreateIndex
CREATE INDEX "activities_organization_id_object_id_id_idx" ON "activities"("organization_id", "object_id", "id");

-- AddForeignKey
ALTER TABLE "provider_events" ADD CONSTRAINT "provider_events_organization_id_connection_id_fkey" FOREIGN KEY ("organization_id", "connection_id") REFERENCES "connections"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "connect_attempts" ADD CONSTRAINT "connect_attempts_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "provider_days" ADD CONSTRAINT "provider_days_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "agent_runs" ADD CONSTRAINT "agent_runs_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "agent_days" ADD CONSTRAINT "agent_days_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "activities" ADD CONSTRAINT "activities_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- CreateTable
CREATE TABLE "pipeline_days" (
    "organization_id" UUID NOT NULL,
    "day" DATE NOT NULL,
    "kind" TEXT NOT NULL,
    "completed" BIGINT NOT NULL,
    "warned" BIGINT NOT NULL,
    "failed" BIGINT NOT NULL,
    "cancelled" BIGINT NOT NULL,
    "waits" JSONB NOT NULL,
    "runs" JSONB NOT NULL,

    CONSTRAINT "pipeline_days_pkey" PRIMARY KEY ("organization_id","day","kind")
);

-- AddForeignKey
ALTER TABLE "pipeline_days" ADD CONSTRAINT "pipeline_days_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Not in schema.prisma, which cannot express it.

-- What was settled before this table is added up from the beginning.
INSERT INTO "upkeep_marks" ("name", "at") SELECT 'pipeline_days', coalesce(min("completed_at"), now()) FROM "jobs";

-- What is to be synced next
CREATE INDEX "connections_due_idx" ON "connections"("next_sync_at") WHERE "next_sync_at" IS NOT NULL;

-- One connection per account
CREATE UNIQUE INDEX "connections_account_key" ON "connections"("organization_id", "provider", "account_key")
WHERE "disconnected_at" IS NULL;

-- Nothing of it changes or goes, but with its organization: a cascade runs within a trigger.
CREATE FUNCTION refuse_change_of_activities() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'activities are only ever added' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER activities_are_append_only BEFORE UPDATE OR DELETE ON "activities"
FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION refuse_change_of_activities();

-- What is being deleted
CREATE INDEX "connections_erased_idx" ON "connections"("id") WHERE "is_erased";
