import { z } from 'zod';
import type { ProviderClient } from '../client.ts';
import { ProviderError } from '../provider-error.ts';
import { TITLE } from './errors.ts';
import { propertyQuota, type PropertyQuota } from './quota.ts';

/** https://developers.google.com/analytics/devguides/reporting/data/v1/rest/v1beta/properties/runReport */
export interface ReportQuery {
  readonly dimensions: readonly string[];
  readonly metrics: readonly string[];
  /** At most four; with several of them, each row names its own as `dateRange` */
  readonly dateRanges: readonly {
    readonly startDate: string;
    readonly endDate: string;
    readonly name?: string;
  }[];
}

interface ReportPlace {
  readonly propertyId: string;
  readonly query: ReportQuery;
  readonly offset: number;
}

/** A row's texts by the names of their columns; null: a row that has other columns than its report */
export type ReportRow = Readonly<Record<string, string>> | null;

export interface ReportPage {
  readonly rows: readonly ReportRow[];
  /** Of the whole report, the rows before this page included */
  readonly rowCount: number;
  readonly metadata: z.infer<typeof metadata>;
  readonly quota: PropertyQuota | undefined;
}

/** Rows to a page; Google has 250,000 at most. */
const LIMIT = 10_000;

/** proto3 writes 64-bit numbers as texts, and leaves zeros out. */
const int64 = z.coerce.number().default(0);

const metadata = z.object({
  timeZone: z.string().optional(),
  currencyCode: z.string().optional(),
  subjectToThresholding: z.boolean().default(false),
  dataLossFromOtherRow: z.boolean().default(false),
  samplingMetadatas: z.array(z.object({ samplesReadCount: int64, samplingSpaceSize: int64 })).default([]),
  /** Newer than the OpenAPI document; their kinds are an open list */
  dataTruncationReasons: z
    .array(
      z.object({ dataTruncationType: z.string().optional(), dataTruncationMessage: z.string().optional() }),
    )
    .default([]),
});

const headers = z.array(z.object({ name: z.string() })).default([]);
const values = z.array(z.object({ value: z.string().default('') })).default([]);
const row = z.object({ dimensionValues: values, metricValues: values });

const reportAnswer = z.object({
  dimensionHeaders: headers,
  metricHeaders: headers,
  /** Absent when there is none; what they hold is looked at one by one */
  rows: z.array(z.unknown()).default([]),
  rowCount: z.int().min(0).default(0),
  metadata: metadata.prefault({}),
  propertyQuota: propertyQuota.optional(),
});

/** One page of a report. Its order is fixed, so that rows neither move between pages nor fall between them. */
export async function runReport(
  client: ProviderClient,
  { propertyId, query, offset }: ReportPlace,
  signal: AbortSignal,
): Promise<ReportPage> {
  const { dimensions, metrics, dateRanges } = query;
  const request = {
    method: 'POST',
    path: `/v1beta/properties/${propertyId}:runReport`,
    isRepeatable: true,
    json: {
      dateRanges,
      dimensions: dimensions.map((name) => ({ name })),
      metrics: metrics.map((name) => ({ name })),
      orderBys: dimensions.map((dimensionName) => ({ dimension: { dimensionName } })),
      limit: String(LIMIT),
      offset: String(offset),
      returnPropertyQuota: true,
    },
  } as const;
  const { json } = await client.request(request, signal);
  const answer = reportAnswer.safeParse(json);
  if (!answer.success)
    throw new ProviderError('transient', `${TITLE} answered something that is no report.`, {
      cause: answer.error,
    });
  const { dimensionHeaders, metricHeaders, rows, propertyQuota: quota, ...rest } = answer.data;
  const names = [...dimensionHeaders, ...metricHeaders].map(({ name }) => name);
  return { ...rest, quota, rows: rows.map((raw) => toRow(raw, names)) };
}

/** All pages of a report, first to last; at least one. */
export async function* readReport(
  client: ProviderClient,
  { propertyId, query }: Omit<ReportPlace, 'offset'>,
  signal: AbortSignal,
): AsyncGenerator<ReportPage & { readonly isLast: boolean }> {
  let offset = 0;
  for (;;) {
    const page = await runReport(client, { propertyId, query, offset }, signal);
    offset += page.rows.length;
    const isLast = offset >= page.rowCount;
    if (!isLast && page.rows.length === 0)
      throw new ProviderError('transient', `${TITLE} ended a report before its last row.`);
    yield { ...page, isLast };
    if (isLast) return;
  }
}

/** What has to be known of the figures, for people. */
export function notesOf({ metadata: told }: ReportPage): string[] {
  const sampled = told.samplingMetadatas.map(
    ({ samplesReadCount: read, samplingSpaceSize: all }) =>
      `${TITLE} estimated figures from a sample of ${all > 0 ? Math.round((read / all) * 100) : 0} % of the events.`,
  );
  const cut = told.dataTruncationReasons.map(
    ({ dataTruncationType: type = 'unknown', dataTruncationMessage: message = type }) =>
      `${TITLE} left data out: ${message.slice(0, 200)}`,
  );
  return [
    ...sampled,
    ...(told.subjectToThresholding
      ? [`${TITLE} may have withheld figures of few users (thresholding).`]
      : []),
    ...(told.dataLossFromOtherRow
      ? [`${TITLE} put rows together as "(other)": their details are lost.`]
      : []),
    ...cut,
  ];
}

function toRow(raw: unknown, names: readonly string[]): ReportRow {
  const parsed = row.safeParse(raw);
  if (!parsed.success) return null;
  const texts = [...parsed.data.dimensionValues, ...parsed.data.metricValues];
  if (texts.length !== names.length) return null;
  return Object.fromEntries(names.map((name, index) => [name, texts[index]?.value ?? '']));
}
