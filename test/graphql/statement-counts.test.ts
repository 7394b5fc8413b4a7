import { afterAll, beforeAll, expect, test } from 'vitest';
import { newUuid } from '../../src/domain/ids.ts';
import { startApi, type TestApi } from '../support/api.ts';
import { seedEvents, seedItems, seedJob, type SeededJob } from '../support/job-rows.ts';
import { readsDuring } from '../support/statements.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.close());

async function seedWholeJob(parent: SeededJob, status: string): Promise<void> {
  const { db } = api.database;
  const job = await seedJob(db, api.organization.id, { parent_id: parent.uuid });
  await seedEvents(db, job, 3, status);
  await seedItems(db, job, { warned: 2, failed: 2 });
  await db.query(
    `INSERT INTO job_attempts (job_id, delivery, number, worker) VALUES ($1, 1, 1, 'a'), ($1, 2, 2, 'b')`,
    [job.uuid],
  );
  await db.query(
    `INSERT INTO stored_files (id, organization_id, job_id, role, filename, content_type, byte_size, sha256, storage_key)
     VALUES ($1, $2, $3, 'rejected_rows', 'rejected.csv', 'text/csv', 12, 'aa', 'key')`,
    [newUuid(), api.organization.id, job.uuid],
  );
  await seedJob(db, api.organization.id, { parent_id: job.uuid });
}

const JOBS = `query ($first: Int!, $filter: JobFilter) { jobs(first: $first, filter: $filter) { totalCount edges { node {
  id kind status pendingReason { code } counts { total } input result { __typename }
  parent { id status }
  attempts { number worker outcome }
  items(first: 2) { totalCount edges { node { id row message } } }
  failed: items(first: 1, outcome: FAILED) { totalCount edges { node { row } } }
  events(first: 2) { totalCount edges { node { seq message } } }
  children(first: 2) { totalCount edges { node { id status parent { id } } } }
  files { id url } rejectedRows { filename url }
} } } }`;

test('a page of 100 jobs with all that belongs to them costs as many statements as a page of 2', async () => {
  const parent = await seedJob(api.database.db, api.organization.id);
  for (let n = 0; n < 100; n += 1) await seedWholeJob(parent, n % 2 ? 'pending' : 'completed');
  const filter = { parentId: parent.id };
  // The first request of a token looks it up.
  await api.ask(JOBS, { first: 1, filter });
  const few = await readsDuring(() => api.ask(JOBS, { first: 2, filter }));
  let answer: Awaited<ReturnType<TestApi['ask']>> | undefined;
  const many = await readsDuring(async () => {
    answer = await api.ask(JOBS, { first: 100, filter });
  });
  expect(answer?.errors).toEqual([]);
  expect(answer?.data).toMatchObject({
    jobs: {
      totalCount: 100,
      edges: expect.arrayContaining([
        {
          node: expect.objectContaining({
            parent: { id: parent.id, status: 'COMPLETED' },
            items: expect.objectContaining({ totalCount: 4 }),
            failed: { totalCount: 2, edges: [{ node: { row: 4 } }] },
            events: expect.objectContaining({ totalCount: 3 }),
            children: expect.objectContaining({ totalCount: 1 }),
            rejectedRows: { filename: 'rejected.csv', url: expect.stringContaining(`${api.url}/files/fil_`) },
          }),
        },
      ]),
    },
  });
  expect(many.length, many.join('\n')).toBe(few.length);
  expect(many.length).toBeGreaterThan(8);
  expect(many.length).toBeLessThanOrEqual(20);
});

test('a page of 50 products with variants and images costs as many statements as a page of 2', async () => {
  const { db } = api.database;
  await db.query(
    `INSERT INTO products (id, organization_id, handle, title, vendor, tags, status, option_names, search_text)
     SELECT gen_random_uuid(), $1, 'h' || n, 'Shirt ' || n, 'Acme', '{new}', 'active', '{Size}', 'shirt ' || n || ' acme'
     FROM generate_series(1, 50) AS n`,
    [api.organization.id],
  );
  await db.query(
    `INSERT INTO product_variants (id, organization_id, product_id, variant_key, sku, option_values, price)
     SELECT gen_random_uuid(), organization_id, id, 'sku:' || handle || n, handle || n, ARRAY['L'], 12.50
     FROM products, generate_series(1, 3) AS n`,
  );
  await db.query(`INSERT INTO product_images (organization_id, product_id, url, position)
                  SELECT organization_id, id, 'https://img.example/' || handle, 1 FROM products`);
  const PRODUCTS = `query ($first: Int!) { products(first: $first, filter: { vendors: ["Acme"], statuses: [ACTIVE], search: "SHIRT" }) {
    totalCount edges { node { id title images { url } variants(first: 2) { totalCount pageInfo { hasNextPage }
      edges { node { sku price options { name value } product { title } } } } } } } }`;
  const few = await readsDuring(() => api.ask(PRODUCTS, { first: 2 }));
  let answer: Awaited<ReturnType<TestApi['ask']>> | undefined;
  const many = await readsDuring(async () => {
    answer = await api.ask(PRODUCTS, { first: 50 });
  });
  expect(answer?.errors).toEqual([]);
  expect(answer?.data).toMatchObject({
    products: {
      totalCount: 50,
      edges: expect.arrayContaining([
        {
          node: expect.objectContaining({
            images: [{ url: expect.stringContaining('https://img.example/') }],
            variants: expect.objectContaining({ totalCount: 3, pageInfo: { hasNextPage: true } }),
          }),
        },
      ]),
    },
  });
  expect(many.length, many.join('\n')).toBe(few.length);
  expect(many.length).toBeGreaterThan(4);
  expect(many.length).toBeLessThanOrEqual(10);
});
