-- DropIndex
DROP INDEX "jobs_organization_id_kind_id_idx";

-- DropIndex
DROP INDEX "jobs_organization_id_parent_id_idx";

-- DropIndex
DROP INDEX "jobs_organization_id_status_id_idx";

-- DropIndex
DROP INDEX "jobs_search_text";

-- CreateTable
CREATE TABLE "job_search" (
    "organization_id" UUID NOT NULL,
    "job_id" UUID NOT NULL,
    "text" TEXT NOT NULL,

    CONSTRAINT "job_search_pkey" PRIMARY KEY ("organization_id","job_id")
);

-- CreateIndex
CREATE INDEX "job_search_text" ON "job_search" USING GIN ("text" gin_trgm_ops);

-- AddForeignKey
ALTER TABLE "job_search" ADD CONSTRAINT "job_search_organization_id_job_id_fkey" FOREIGN KEY ("organization_id", "job_id") REFERENCES "jobs"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- ── Written by hand: what schema.prisma cannot say ──────────────────────────────────────────────────────────────────

-- Every filter by kind, status and queue, alone or together: one short scan per combination, merged by id. A change of
-- progress touches none of these columns.
CREATE INDEX "jobs_listed" ON "jobs" ("organization_id", "kind", "status", "queue", "id") WHERE NOT "internal";

-- The same for one trigger, so that a schedule with a million jobs of which three failed is no long scan either.
CREATE INDEX "jobs_triggered" ON "jobs" ("organization_id", "triggered_by", "kind", "status", "queue", "id")
  WHERE NOT "internal";

-- Children of a job, newest first; most jobs have no parent and cost nothing here. The foreign key is checked by it too.
CREATE INDEX "jobs_children" ON "jobs" ("organization_id", "parent_id", "id") WHERE "parent_id" IS NOT NULL;

-- What changed since a moment: asked by `jobsChanged` after a broken link.
CREATE INDEX "jobs_status_changed" ON "jobs" ("organization_id", "status_changed_at") WHERE NOT "internal";

-- A search reads what waits for the index too: little may wait.
ALTER INDEX "job_search_text" SET (gin_pending_list_limit = 512);

-- The text lies beside the job, not on it: every change of status writes a new row version, and that would put a
-- hundred trigrams into the index again.
CREATE FUNCTION "copy_job_search_text"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO job_search (organization_id, job_id, text) VALUES (NEW.organization_id, NEW.id, NEW.search_text);
  ELSE
    UPDATE job_search SET text = NEW.search_text WHERE organization_id = NEW.organization_id AND job_id = NEW.id;
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER "job_search_inserted" AFTER INSERT ON "jobs"
  FOR EACH ROW WHEN (NOT NEW.internal) EXECUTE FUNCTION "copy_job_search_text"();

CREATE TRIGGER "job_search_changed" AFTER UPDATE OF "search_text" ON "jobs"
  FOR EACH ROW WHEN (NOT NEW.internal AND OLD.search_text IS DISTINCT FROM NEW.search_text)
  EXECUTE FUNCTION "copy_job_search_text"();

INSERT INTO "job_search" ("organization_id", "job_id", "text")
  SELECT "organization_id", "id", "search_text" FROM "jobs" WHERE NOT "internal";
