-- AlterTable
ALTER TABLE "organizations" ADD COLUMN "external_id" TEXT;

-- AlterTable
ALTER TABLE "api_keys" ADD COLUMN "prefix" TEXT NOT NULL DEFAULT '',
ADD COLUMN "scopes" TEXT[] NOT NULL DEFAULT ARRAY[]::TEXT[],
ADD COLUMN "created_by" TEXT,
ADD COLUMN "expires_at" TIMESTAMPTZ(3),
ADD COLUMN "revoked_by" TEXT;

-- DropIndex
DROP INDEX "api_keys_organization_id_idx";

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_organization_id_id_key" ON "api_keys"("organization_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "organizations_external_id_key" ON "organizations"("external_id");
