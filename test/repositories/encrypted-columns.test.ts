import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { systemCatalogue } from '../../src/jobs/index.ts';
import { createEndpoint, rotateSecret } from '../../src/notify/webhook-endpoints.ts';
import { reencryptSecrets } from '../../src/repositories/encrypted-columns.ts';
import { ENDPOINT_SECRETS } from '../../src/repositories/webhook-endpoints.ts';
import { createMasterSecret, openCipher } from '../../src/secrets/index.ts';
import { createTestDatabase } from '../support/database.ts';
import { createOrganization } from '../support/organization.ts';

const master = createMasterSecret('the secret of an installation in a test');
const outbound = { allowPrivateAddresses: false, requireHttps: true };

it('every stored secret moves to the first key of the ring, and can be read without the others', async () => {
  await using database = await createTestDatabase();
  const { db } = database;
  const [old, young] = ['2025', '2026'].map((id) => ({ id, key: randomBytes(32) }));
  if (!old || !young) throw new Error('two keys');
  const before = { db, outbound, catalogue: systemCatalogue, cipher: openCipher(master, [old]) };
  const { id: organizationId } = await createOrganization(db);
  const made = await createEndpoint(
    before,
    { organizationId, createdBy: 'test' },
    { url: 'https://hooks.example.com', description: '', eventTypes: ['job.failed'] },
  );
  const current = await rotateSecret(before, organizationId, made.id, 60_000);
  // Copies, so that one batch is not enough. A ciphertext is bound to its row, so each has its own.
  const { table, current: column } = ENDPOINT_SECRETS;
  const copies = Array.from({ length: 600 }, (_, n) => {
    const id = `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;
    return { id, secret: before.cipher.encrypt(`whsec_${n}`, { table, column, rowId: id }) };
  });
  await db.query(
    `INSERT INTO webhook_endpoints (id, organization_id, url, description, event_types, secret, created_by)
     SELECT id, $1, 'https://x.example', '', '{}', secret, 'test' FROM jsonb_to_recordset($2::jsonb) AS copy (id uuid, secret text)`,
    [organizationId, JSON.stringify(copies)],
  );

  expect(await reencryptSecrets(db, openCipher(master, [young, old]))).toBe(602);
  expect(await reencryptSecrets(db, openCipher(master, [young, old]))).toBe(0);

  const after = openCipher(master, [young]);
  const { rows } = await db.query<{ secret: string; previous: string }>(
    'SELECT secret, previous_secret AS previous FROM webhook_endpoints WHERE id = $1',
    [made.id],
  );
  const place = { table, rowId: made.id };
  expect(after.decrypt(rows[0]?.secret ?? '', { ...place, column })).toBe(current);
  expect(after.decrypt(rows[0]?.previous ?? '', { ...place, column: ENDPOINT_SECRETS.previous })).toBe(
    made.secret,
  );
});
