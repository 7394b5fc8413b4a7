-- CreateTable
CREATE TABLE "schedule_uploads" (
    "organization_id" UUID NOT NULL,
    "schedule_id" UUID NOT NULL,
    "upload_id" UUID NOT NULL,

    CONSTRAINT "schedule_uploads_pkey" PRIMARY KEY ("schedule_id","upload_id")
);

-- CreateIndex
CREATE INDEX "schedule_uploads_organization_id_upload_id_idx" ON "schedule_uploads"("organization_id", "upload_id");

-- AddForeignKey
ALTER TABLE "schedule_uploads" ADD CONSTRAINT "schedule_uploads_organization_id_schedule_id_fkey" FOREIGN KEY ("organization_id", "schedule_id") REFERENCES "schedules"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "schedule_uploads" ADD CONSTRAINT "schedule_uploads_organization_id_upload_id_fkey" FOREIGN KEY ("organization_id", "upload_id") REFERENCES "uploads"("organization_id", "id") ON DELETE NO ACTION ON UPDATE CASCADE;
