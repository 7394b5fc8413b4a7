-- CreateEnum
CREATE TYPE "fact_type" AS ENUM ('order', 'refund', 'ad_day', 'traffic_day', 'social_day', 'email_day', 'ticket', 'agent_run');

-- CreateTable
CREATE TABLE "connections" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "provider" TEXT NOT NULL,
    "account_key" TEXT NOT NULL,
    "label" TEXT NOT NULL,
    "config" JSONB NOT NULL,
    "credentials" TEXT,
    "time_zone" TEXT,
    "currency" TEXT,
    "missing_scopes" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "sync_every_seconds" INTEGER NOT NULL DEFAULT 3600,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "created_by" TEXT NOT NULL,
    "paused_at" TIMESTAMPTZ(3),
    "refused_at" TIMESTAMPTZ(3),
    "disconnected_at" TIMESTAMPTZ(3),
    "synced_at" TIMESTAMPTZ(3),
    "failure_code" TEXT,
    "failure_message" TEXT,
    "failed_at" TIMESTAMPTZ(3),

    CONSTRAINT "connections_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "connection_cursors" (
    "organization_id" UUID NOT NULL,
    "connection_id" UUID NOT NULL,
    "entity" TEXT NOT NULL,
    "cursor" JSONB,
    "stuck_runs" INTEGER NOT NULL DEFAULT 0,
    "scan_started_at" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "connection_cursors_pkey" PRIMARY KEY ("connection_id","entity")
);

-- CreateTable
CREATE TABLE "source_records" (
    "organization_id" UUID NOT NULL,
    "connection_id" UUID NOT NULL,
    "entity" TEXT NOT NULL,
    "record_key" TEXT NOT NULL,
    "data" JSONB NOT NULL,
    "hash" BYTEA NOT NULL,
    "seen_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "source_records_pkey" PRIMARY KEY ("connection_id","entity","record_key")
);

-- CreateTable
CREATE TABLE "facts" (
    "organization_id" UUID NOT NULL,
    "connection_id" UUID NOT NULL,
    "type" "fact_type" NOT NULL,
    "fact_key" TEXT NOT NULL,
    "entity" TEXT NOT NULL,
    "record_key" TEXT NOT NULL,
    "day" DATE NOT NULL,
    "end_day" DATE,
    "at" TIMESTAMPTZ(3),
    "end_at" TIMESTAMPTZ(3),
    "data" JSONB NOT NULL,

    CONSTRAINT "facts_pkey" PRIMARY KEY ("connection_id","type","fact_key")
);

-- CreateTable
CREATE TABLE "revenue_days" (
    "organization_id" UUID NOT NULL,
    "connection_id" UUID NOT NULL,
    "day" DATE NOT NULL,
    "currency" TEXT NOT NULL,
    "channel" TEXT NOT NULL,
    "gross" DECIMAL(30,6) NOT NULL,
    "refunds" DECIMAL(30,6) NOT NULL,
    "orders" BIGINT NOT NULL,

    CONSTRAINT "revenue_days_pkey" PRIMARY KEY ("organization_id","day","connection_id","currency","channel")
);

-- CreateTable
CREATE TABLE "traffic_days" (
    "organization_id" UUID NOT NULL,
    "connection_id" UUID NOT NULL,
    "day" DATE NOT NULL,
    "window_days" INTEGER NOT NULL,
    "channel" TEXT NOT NULL,
    "sessions" BIGINT NOT NULL,
    "pageviews" BIGINT NOT NULL,
    "engaged_sessions" BIGINT NOT NULL,
    "users" BIGINT NOT NULL,
    "new_users" BIGINT NOT NULL,

    CONSTRAINT "traffic_days_pkey" PRIMARY KEY ("organization_id","day","connection_id","window_days","channel")
);

-- CreateTable
CREATE TABLE "ads_days" (
    "organization_id" UUID NOT NULL,
    "connection_id" UUID NOT NULL,
    "day" DATE NOT NULL,
    "account" TEXT NOT NULL,
    "campaign_key" TEXT NOT NULL,
    "campaign" TEXT NOT NULL,
    "currency" TEXT NOT NULL,
    "spend" DECIMAL(30,6) NOT NULL,
    "impressions" BIGINT NOT NULL,
    "clicks" BIGINT NOT NULL,
    "conversions" DOUBLE PRECISION NOT NULL,
    "value" DECIMAL(30,6) NOT NULL,

    CONSTRAINT "ads_days_pkey" PRIMARY KEY ("organization_id","day","connection_id","campaign_key","currency")
);

-- CreateTable
CREATE TABLE "social_days" (
    "organization_id" UUID NOT NULL,
    "connection_id" UUID NOT NULL,
    "day" DATE NOT NULL,
    "network" TEXT NOT NULL,
    "account_key" TEXT NOT NULL,
    "account" TEXT NOT NULL,
    "followers" BIGINT,
    "impressions" BIGINT NOT NULL,
    "engagements" BIGINT NOT NULL,

    CONSTRAINT "social_days_pkey" PRIMARY KEY ("organization_id","day","connection_id","network","account_key")
);

-- CreateTable
CREATE TABLE "email_days" (
    "organization_id" UUID NOT NULL,
    "connection_id" UUID NOT NULL,
    "day" DATE NOT NULL,
    "campaign_key" TEXT NOT NULL,
    "campaign" TEXT NOT NULL,
    "sent" BIGINT NOT NULL,
    "opens" BIGINT NOT NULL,
    "clicks" BIGINT NOT NULL,
    "unsubscribes" BIGINT NOT NULL,
    "bounces" BIGINT NOT NULL,

    CONSTRAINT "email_days_pkey" PRIMARY KEY ("organization_id","day","connection_id","campaign_key")
);

-- CreateTable
CREATE TABLE "support_days" (
    "organization_id" UUID NOT NULL,
    "connection_id" UUID NOT NULL,
    "day" DATE NOT NULL,
    "channel" TEXT NOT NULL,
    "opened" BIGINT NOT NULL,
    "solved" BIGINT NOT NULL,
    "good" BIGINT NOT NULL,
    "bad" BIGINT NOT NULL,
    "first_replies" JSONB NOT NULL,

    CONSTRAINT "support_days_pkey" PRIMARY KEY ("organization_id","day","connection_id","channel")
);

-- CreateIndex
CREATE UNIQUE INDEX "connections_organization_id_id_key" ON "connections"("organization_id", "id");

-- CreateIndex
CREATE INDEX "facts_connection_id_entity_record_key_idx" ON "facts"("connection_id", "entity", "record_key");

-- CreateIndex
CREATE INDEX "facts_connection_id_type_day_idx" ON "facts"("connection_id", "type", "day");

-- AddForeignKey
ALTER TABLE "connections" ADD CONSTRAINT "connections_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "connection_cursors" ADD CONSTRAINT "connection_cursors_organization_id_connection_id_fkey" FOREIGN KEY ("organization_id", "connection_id") REFERENCES "connections"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "source_records" ADD CONSTRAINT "source_records_organization_id_connection_id_fkey" FOREIGN KEY ("organization_id", "connection_id") REFERENCES "connections"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "facts" ADD CONSTRAINT "facts_organization_id_connection_id_fkey" FOREIGN KEY ("organization_id", "connection_id") REFERENCES "connections"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "revenue_days" ADD CONSTRAINT "revenue_days_organization_id_connection_id_fkey" FOREIGN KEY ("organization_id", "connection_id") REFERENCES "connections"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "traffic_days" ADD CONSTRAINT "traffic_days_organization_id_connection_id_fkey" FOREIGN KEY ("organization_id", "connection_id") REFERENCES "connections"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ads_days" ADD CONSTRAINT "ads_days_organization_id_connection_id_fkey" FOREIGN KEY ("organization_id", "connection_id") REFERENCES "connections"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "social_days" ADD CONSTRAINT "social_days_organization_id_connection_id_fkey" FOREIGN KEY ("organization_id", "connection_id") REFERENCES "connections"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "email_days" ADD CONSTRAINT "email_days_organization_id_connection_id_fkey" FOREIGN KEY ("organization_id", "connection_id") REFERENCES "connections"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "support_days" ADD CONSTRAINT "support_days_organization_id_connection_id_fkey" FOREIGN KEY ("organization_id", "connection_id") REFERENCES "connections"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- An account is connected once; whoever disconnects may connect it again.
CREATE UNIQUE INDEX "connections_account" ON "connections"("organization_id", "provider", "account_key") WHERE "disconnected_at" IS NULL;

-- What has no second moment is not looked up by it.
CREATE INDEX "facts_end_days" ON "facts"("connection_id", "type", "end_day") WHERE "end_day" IS NOT NULL;
