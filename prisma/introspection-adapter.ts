import {
  ColumnTypeEnum,
  type ColumnType,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
  type SqlQuery,
  type SqlResultSet,
} from '@prisma/driver-adapter-utils';
import pg from 'pg';

const TIMESTAMPTZ = 1184;

/**
 * What the catalogs' columns are, by the oids of pg_type; anything else is text. Prisma's own adapter does not know
 * "char" (18), without which its engine cannot read a schema.
 */
const COLUMN_TYPES: ReadonlyMap<number, ColumnType> = new Map([
  [16, ColumnTypeEnum.Boolean],
  [18, ColumnTypeEnum.Character],
  [20, ColumnTypeEnum.Int64],
  [21, ColumnTypeEnum.Int32],
  [23, ColumnTypeEnum.Int32],
  [26, ColumnTypeEnum.Int64],
  [1000, ColumnTypeEnum.BooleanArray],
  [1003, ColumnTypeEnum.TextArray],
  [1005, ColumnTypeEnum.Int32Array],
  [1007, ColumnTypeEnum.Int32Array],
  [1009, ColumnTypeEnum.TextArray],
  [TIMESTAMPTZ, ColumnTypeEnum.DateTime],
]);

const INFO = { provider: 'postgres', adapterName: 'millrace-introspection' } as const;

/**
 * Lets Prisma's engine read the schema of one database; it cannot make a shadow database or a transaction.
 * @param client a connected one whose session is in UTC
 */
export function introspectionAdapter(client: pg.Client): SqlMigrationAwareDriverAdapterFactory {
  const adapter: SqlDriverAdapter = {
    ...INFO,
    queryRaw: (query) => queryRaw(client, query),
    executeRaw: async ({ sql, args }) => (await client.query(sql, args)).rowCount ?? 0,
    async executeScript(script) {
      await client.query(script);
    },
    startTransaction: () => Promise.reject(new Error('this adapter only reads')),
    getConnectionInfo: () => ({ schemaName: 'public', supportsRelationJoins: true }),
    // The client is the caller's: the engine does not always dispose what it connected.
    dispose: () => Promise.resolve(),
  };
  return {
    ...INFO,
    connect: () => Promise.resolve(adapter),
    connectToShadowDb: () => Promise.reject(new Error('this adapter only reads')),
  };
}

async function queryRaw(client: pg.Client, { sql, args }: SqlQuery): Promise<SqlResultSet> {
  const { fields, rows } = await client.query<unknown[]>({
    text: sql,
    values: args,
    rowMode: 'array',
    types: TYPES,
  });
  return {
    columnNames: fields.map((field) => field.name),
    columnTypes: fields.map((field) => COLUMN_TYPES.get(field.dataTypeID) ?? ColumnTypeEnum.Text),
    rows,
  };
}

const TYPES = new pg.TypeOverrides();
TYPES.setTypeParser(TIMESTAMPTZ, isoTime);

/** "2026-01-02 03:04:05.678+00", as a session in UTC writes it, the way the engine reads it. */
function isoTime(text: string): string {
  return text.replace(' ', 'T').replace(/\+00$/, 'Z');
}
