-- Written by hand: partial indexes, which schema.prisma cannot say.
--
-- `id DESC NULLS LAST` is an order that only these four indexes have: no id is null, but a query that asks for this order
-- cannot be answered by the primary key read backwards, which the planner likes where it takes a rare value for a
-- frequent one, and which ends where the table does.

DROP INDEX "jobs_listed";
CREATE INDEX "jobs_listed" ON "jobs" ("organization_id", "kind", "status", "queue", "id" DESC NULLS LAST)
  WHERE NOT "internal";

DROP INDEX "jobs_triggered";
CREATE INDEX "jobs_triggered"
  ON "jobs" ("organization_id", "triggered_by", "kind", "status", "queue", "id" DESC NULLS LAST) WHERE NOT "internal";

DROP INDEX "jobs_children";
CREATE INDEX "jobs_children" ON "jobs" ("organization_id", "parent_id", "id" DESC NULLS LAST)
  WHERE "parent_id" IS NOT NULL;

DROP INDEX "jobs_org_newest";
-- Its predicate names a queue, which says nothing about a row (none has an empty name) and all about a query: only one
-- that says the same is answered by this index. A query that narrows down asks for one of the others, and must not get
-- this one with a filter, however alike the statistics make them look.
CREATE INDEX "jobs_newest" ON "jobs" ("organization_id", "id" DESC NULLS LAST) WHERE NOT "internal" AND "queue" <> '';
