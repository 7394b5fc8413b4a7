-- Written by hand: the search indexes below need it; in every PostgreSQL, and allowed to a database's owner.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- CreateEnum
CREATE TYPE "role" AS ENUM ('viewer', 'member', 'admin');

-- CreateEnum
CREATE TYPE "job_status" AS ENUM ('pending', 'running', 'completed', 'completed_with_warnings', 'failed', 'cancelled');

-- CreateEnum
CREATE TYPE "attempt_outcome" AS ENUM ('completed', 'failed', 'snoozed', 'cancelled', 'lost', 'released');

-- CreateEnum
CREATE TYPE "job_event_type" AS ENUM ('status', 'progress', 'log', 'warning');

-- CreateEnum
CREATE TYPE "log_level" AS ENUM ('debug', 'info', 'warn', 'error');

-- CreateEnum
CREATE TYPE "job_item_outcome" AS ENUM ('warned', 'failed');

-- CreateEnum
CREATE TYPE "file_role" AS ENUM ('rejected_rows', 'output');

-- CreateEnum
CREATE TYPE "product_status" AS ENUM ('active', 'draft', 'archived');

-- CreateTable
CREATE TABLE "organizations" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "time_zone" TEXT NOT NULL,
    "currency" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "organizations_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "users" (
    "id" UUID NOT NULL,
    "email" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "memberships" (
    "organization_id" UUID NOT NULL,
    "user_id" UUID NOT NULL,
    "role" "role" NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "memberships_pkey" PRIMARY KEY ("organization_id","user_id")
);

-- CreateTable
CREATE TABLE "api_keys" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "user_id" UUID,
    "name" TEXT NOT NULL,
    "role" "role" NOT NULL,
    "token_hash" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_used_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "jobs" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "status" "job_status" NOT NULL DEFAULT 'pending',
    "queue" TEXT NOT NULL,
    "priority" SMALLINT NOT NULL DEFAULT 2,
    "input" JSONB NOT NULL,
    "input_hash" BYTEA NOT NULL,
    "result" JSONB,
    "triggered_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "run_at" TIMESTAMPTZ(3),
    "started_at" TIMESTAMPTZ(3),
    "completed_at" TIMESTAMPTZ(3),
    "error_code" TEXT,
    "error_message" TEXT,
    "progress_percent" SMALLINT,
    "progress_message" TEXT,
    "delivery" INTEGER NOT NULL DEFAULT 0,
    "delivered_at" TIMESTAMPTZ(3),
    "epoch" UUID,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "max_attempts" INTEGER NOT NULL,
    "next_attempt_at" TIMESTAMPTZ(3),
    "due_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "worker_id" UUID,
    "cancel_requested_at" TIMESTAMPTZ(3),
    "cancel_requested_by" TEXT,
    "cancel_reason" TEXT,
    "queue_job_id" TEXT,
    "idempotency_key" TEXT,
    "unique_key" TEXT,
    "parent_id" UUID,
    "internal" BOOLEAN NOT NULL DEFAULT false,
    "count_total" INTEGER,
    "count_processed" INTEGER NOT NULL DEFAULT 0,
    "count_succeeded" INTEGER NOT NULL DEFAULT 0,
    "count_warned" INTEGER NOT NULL DEFAULT 0,
    "count_failed" INTEGER NOT NULL DEFAULT 0,
    "item_count" INTEGER NOT NULL DEFAULT 0,
    "last_seq" INTEGER NOT NULL DEFAULT 0,
    "status_changed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "search_text" TEXT NOT NULL DEFAULT '',

    CONSTRAINT "jobs_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "job_attempts" (
    "job_id" UUID NOT NULL,
    "delivery" INTEGER NOT NULL,
    "number" INTEGER NOT NULL,
    "worker" TEXT NOT NULL,
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),
    "outcome" "attempt_outcome",
    "error_code" TEXT,
    "error_message" TEXT,

    CONSTRAINT "job_attempts_pkey" PRIMARY KEY ("job_id","delivery")
);

-- CreateTable
CREATE TABLE "job_events" (
    "job_id" UUID NOT NULL,
    "seq" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "type" "job_event_type" NOT NULL,
    "attempt" INTEGER NOT NULL,
    "status" "job_status" NOT NULL,
    "progress_percent" SMALLINT,
    "message" TEXT,
    "level" "log_level",
    "error_code" TEXT,

    CONSTRAINT "job_events_pkey" PRIMARY KEY ("job_id","seq")
);

-- CreateTable
CREATE TABLE "job_items" (
    "job_id" UUID NOT NULL,
    "ordinal" INTEGER NOT NULL,
    "row" INTEGER,
    "key" TEXT,
    "column" TEXT,
    "value" TEXT,
    "code" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "outcome" "job_item_outcome" NOT NULL,

    CONSTRAINT "job_items_pkey" PRIMARY KEY ("job_id","ordinal")
);

-- CreateTable
CREATE TABLE "job_steps" (
    "job_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "result" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "job_steps_pkey" PRIMARY KEY ("job_id","name")
);

-- CreateTable
CREATE TABLE "job_checkpoints" (
    "job_id" UUID NOT NULL,
    "cursor" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "job_checkpoints_pkey" PRIMARY KEY ("job_id")
);

-- CreateTable
CREATE TABLE "idempotency_keys" (
    "organization_id" UUID NOT NULL,
    "key" TEXT NOT NULL,
    "input_hash" BYTEA NOT NULL,
    "job_id" UUID NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("organization_id","key")
);

-- CreateTable
CREATE TABLE "workers" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "kinds" JSONB NOT NULL,
    "queues" TEXT[],
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "beat_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "workers_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "queues" (
    "name" TEXT NOT NULL,
    "paused_at" TIMESTAMPTZ(3),
    "concurrency" INTEGER,
    "epoch" UUID,

    CONSTRAINT "queues_pkey" PRIMARY KEY ("name")
);

-- CreateTable
CREATE TABLE "uploads" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "filename" TEXT NOT NULL,
    "content_type" TEXT NOT NULL,
    "declared_bytes" BIGINT,
    "byte_size" BIGINT,
    "sha256" TEXT,
    "storage_key" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "received_at" TIMESTAMPTZ(3),
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "uploads_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "stored_files" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "job_id" UUID NOT NULL,
    "role" "file_role" NOT NULL,
    "filename" TEXT NOT NULL,
    "content_type" TEXT NOT NULL,
    "byte_size" BIGINT NOT NULL,
    "sha256" TEXT NOT NULL,
    "storage_key" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "stored_files_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "products" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "handle" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "description_html" TEXT,
    "vendor" TEXT,
    "product_type" TEXT,
    "tags" TEXT[],
    "status" "product_status" NOT NULL,
    "option_names" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "search_text" TEXT NOT NULL,

    CONSTRAINT "products_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "product_variants" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "product_id" UUID NOT NULL,
    "variant_key" TEXT NOT NULL,
    "sku" TEXT,
    "barcode" TEXT,
    "option_values" TEXT[],
    "price" DECIMAL(18,4),
    "compare_at_price" DECIMAL(18,4),
    "currency" TEXT,
    "inventory_quantity" INTEGER,
    "weight_grams" DECIMAL(18,4),
    "requires_shipping" BOOLEAN,
    "taxable" BOOLEAN,
    "image_url" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "product_variants_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "product_images" (
    "organization_id" UUID NOT NULL,
    "product_id" UUID NOT NULL,
    "url" TEXT NOT NULL,
    "position" INTEGER,
    "alt_text" TEXT,

    CONSTRAINT "product_images_pkey" PRIMARY KEY ("organization_id","product_id","url")
);

-- CreateTable
CREATE TABLE "product_import_keys" (
    "job_id" UUID NOT NULL,
    "key_hash" UUID NOT NULL,
    "row" INTEGER NOT NULL,
    "rejected" BOOLEAN NOT NULL,
    "entries" BYTEA NOT NULL,

    CONSTRAINT "product_import_keys_pkey" PRIMARY KEY ("job_id","key_hash")
);

-- CreateTable
CREATE TABLE "product_import_rejects" (
    "job_id" UUID NOT NULL,
    "row" INTEGER NOT NULL,
    "lines" TEXT NOT NULL,

    CONSTRAINT "product_import_rejects_pkey" PRIMARY KEY ("job_id","row")
);

-- CreateTable
CREATE TABLE "orders" (
    "id" UUID NOT NULL,
    "organization_id" UUID NOT NULL,
    "source" TEXT NOT NULL,
    "external_id" TEXT NOT NULL,
    "placed_at" TIMESTAMPTZ(3) NOT NULL,
    "currency" TEXT NOT NULL,
    "gross" DECIMAL(20,6) NOT NULL,
    "refunded" DECIMAL(20,6) NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "orders_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "users_email_key" ON "users"("email");

-- CreateIndex
CREATE INDEX "memberships_user_id_idx" ON "memberships"("user_id");

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_token_hash_key" ON "api_keys"("token_hash");

-- CreateIndex
CREATE INDEX "api_keys_organization_id_idx" ON "api_keys"("organization_id");

-- CreateIndex
CREATE INDEX "api_keys_user_id_idx" ON "api_keys"("user_id");

-- CreateIndex
CREATE INDEX "jobs_organization_id_kind_id_idx" ON "jobs"("organization_id", "kind", "id");

-- CreateIndex
CREATE INDEX "jobs_organization_id_status_id_idx" ON "jobs"("organization_id", "status", "id");

-- CreateIndex
CREATE INDEX "jobs_organization_id_parent_id_idx" ON "jobs"("organization_id", "parent_id");

-- CreateIndex
CREATE INDEX "jobs_search_text" ON "jobs" USING GIN ("search_text" gin_trgm_ops);

-- CreateIndex
CREATE UNIQUE INDEX "jobs_organization_id_id_key" ON "jobs"("organization_id", "id");

-- CreateIndex
CREATE INDEX "idempotency_keys_expires_at_idx" ON "idempotency_keys"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "uploads_organization_id_id_key" ON "uploads"("organization_id", "id");

-- CreateIndex
CREATE INDEX "stored_files_organization_id_job_id_idx" ON "stored_files"("organization_id", "job_id");

-- CreateIndex
CREATE UNIQUE INDEX "stored_files_organization_id_id_key" ON "stored_files"("organization_id", "id");

-- CreateIndex
CREATE INDEX "products_organization_id_vendor_id_idx" ON "products"("organization_id", "vendor", "id");

-- CreateIndex
CREATE INDEX "products_organization_id_status_id_idx" ON "products"("organization_id", "status", "id");

-- CreateIndex
CREATE INDEX "products_search_text" ON "products" USING GIN ("search_text" gin_trgm_ops);

-- CreateIndex
CREATE UNIQUE INDEX "products_organization_id_handle_key" ON "products"("organization_id", "handle");

-- CreateIndex
CREATE UNIQUE INDEX "products_organization_id_id_key" ON "products"("organization_id", "id");

-- CreateIndex
CREATE INDEX "product_variants_organization_id_sku_idx" ON "product_variants"("organization_id", "sku");

-- CreateIndex
CREATE UNIQUE INDEX "product_variants_organization_id_product_id_variant_key_key" ON "product_variants"("organization_id", "product_id", "variant_key");

-- CreateIndex
CREATE INDEX "orders_organization_id_placed_at_idx" ON "orders"("organization_id", "placed_at");

-- CreateIndex
CREATE UNIQUE INDEX "orders_organization_id_source_external_id_key" ON "orders"("organization_id", "source", "external_id");

-- AddForeignKey
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "jobs" ADD CONSTRAINT "jobs_organization_id_parent_id_fkey" FOREIGN KEY ("organization_id", "parent_id") REFERENCES "jobs"("organization_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "job_attempts" ADD CONSTRAINT "job_attempts_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "jobs"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "job_events" ADD CONSTRAINT "job_events_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "jobs"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "job_items" ADD CONSTRAINT "job_items_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "jobs"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "job_steps" ADD CONSTRAINT "job_steps_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "jobs"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "job_checkpoints" ADD CONSTRAINT "job_checkpoints_job_id_fkey" FOREIGN KEY ("job_id") REFERENCES "jobs"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "uploads" ADD CONSTRAINT "uploads_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stored_files" ADD CONSTRAINT "stored_files_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "stored_files" ADD CONSTRAINT "stored_files_organization_id_job_id_fkey" FOREIGN KEY ("organization_id", "job_id") REFERENCES "jobs"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "products" ADD CONSTRAINT "products_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "product_variants" ADD CONSTRAINT "product_variants_organization_id_product_id_fkey" FOREIGN KEY ("organization_id", "product_id") REFERENCES "products"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "product_images" ADD CONSTRAINT "product_images_organization_id_product_id_fkey" FOREIGN KEY ("organization_id", "product_id") REFERENCES "products"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "orders" ADD CONSTRAINT "orders_organization_id_fkey" FOREIGN KEY ("organization_id") REFERENCES "organizations"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- ── Written by hand: what schema.prisma cannot say ──────────────────────────────────────────────────────────────────

-- Progress and heartbeats update rows in place (HOT) only where their page has room left.
ALTER TABLE "jobs" SET (fillfactor = 80);

-- One live job per unique key; the database decides between starts that come at the same moment.
CREATE UNIQUE INDEX "jobs_unique_live" ON "jobs" ("organization_id", "kind", "unique_key")
  WHERE "unique_key" IS NOT NULL AND "status" IN ('pending', 'running');

-- The dispatcher: what waits in Postgres, organization by organization, in the order in which it is delivered.
CREATE INDEX "jobs_undelivered" ON "jobs" ("queue", "organization_id", "priority", "due_at", "id")
  WHERE "status" = 'pending' AND "delivered_at" IS NULL;

-- The window of an organization, and what a lost broker held: small however many jobs wait.
CREATE INDEX "jobs_delivered" ON "jobs" ("queue", "organization_id", "delivered_at")
  WHERE "status" = 'pending' AND "delivered_at" IS NOT NULL;

-- Rescue asks for the running jobs of one worker.
CREATE INDEX "jobs_running" ON "jobs" ("worker_id") WHERE "status" = 'running';

-- The jobs list, newest first, with counts that read no internal kinds.
CREATE INDEX "jobs_org_newest" ON "jobs" ("organization_id", "id" DESC) WHERE NOT "internal";

-- `maxAgeSeconds`: the newest good result for the same input.
CREATE INDEX "jobs_cache" ON "jobs" ("organization_id", "kind", "input_hash", "completed_at" DESC)
  WHERE "status" IN ('completed', 'completed_with_warnings');

-- States that no code path may write, whatever else it gets wrong.
ALTER TABLE "jobs"
  ADD CONSTRAINT "jobs_settled_has_time" CHECK (("status" IN ('pending', 'running')) = ("completed_at" IS NULL)),
  ADD CONSTRAINT "jobs_priority_known" CHECK ("priority" BETWEEN 1 AND 3),
  ADD CONSTRAINT "jobs_percent_in_range" CHECK ("progress_percent" BETWEEN 0 AND 100),
  ADD CONSTRAINT "jobs_attempts_in_range" CHECK ("attempt" >= 0 AND "max_attempts" >= 1 AND "delivery" >= 0),
  ADD CONSTRAINT "jobs_counts_not_negative" CHECK (
    "count_total" >= 0 AND "count_processed" >= 0 AND "count_succeeded" >= 0
    AND "count_warned" >= 0 AND "count_failed" >= 0 AND "item_count" >= 0 AND "last_seq" >= 0
  );

-- Numbers start at 1: a stream that has seen nothing asks for what comes after 0.
ALTER TABLE "job_events" ADD CONSTRAINT "job_events_seq_positive" CHECK ("seq" >= 1);
ALTER TABLE "job_items" ADD CONSTRAINT "job_items_ordinal_positive" CHECK ("ordinal" >= 1);
