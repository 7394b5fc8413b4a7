-- CreateTable
CREATE TABLE "product_revenue_days" (
    "organization_id" UUID NOT NULL,
    "connection_id" UUID NOT NULL,
    "day" DATE NOT NULL,
    "currency" TEXT NOT NULL,
    "product_key" TEXT NOT NULL,
    "product" TEXT NOT NULL,
    "gross" DECIMAL(30,6) NOT NULL,
    "refunds" DECIMAL(30,6) NOT NULL,
    "units" BIGINT NOT NULL,
    "orders" BIGINT NOT NULL,

    CONSTRAINT "product_revenue_days_pkey" PRIMARY KEY ("organization_id","day","connection_id","currency","product_key")
);

-- CreateIndex
CREATE INDEX "activities_organization_id_object_type_id_idx" ON "activities"("organization_id", "object_type", "id");

-- AddForeignKey
ALTER TABLE "product_revenue_days" ADD CONSTRAINT "product_revenue_days_organization_id_connection_id_fkey" FOREIGN KEY ("organization_id", "connection_id") REFERENCES "connections"("organization_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What is known of orders so far has no lines: all of it is no product's.
INSERT INTO "product_revenue_days" ("organization_id", "connection_id", "day", "currency", "product_key", "product", "gross", "refunds", "units", "orders")
SELECT "organization_id", "connection_id", "day", "currency", '', '', sum("gross"), sum("refunds"), 0, sum("orders")
FROM "revenue_days"
GROUP BY "organization_id", "connection_id", "day", "currency";
