import {
  createClient,
  MillraceJobError,
  MillraceUserError,
  type JobErrorCode,
  type JobResultOf,
  type MillraceClient,
  type UserErrorCode,
} from 'millrace/sdk';

/** What a program that knows nothing of this repository saw of a server. */
export interface Seen {
  readonly seqs: readonly number[];
  readonly result: JobResultOf<'ProductImportResult'>;
  readonly failure: JobErrorCode | null;
  readonly userError: { readonly code: UserErrorCode; readonly field: readonly string[] | null } | null;
  readonly abortedWith: string;
}

const CSV = 'Handle,Title,Variant SKU,Variant Price\nmug,Mug,MUG-1,12.50\nbowl,Bowl,BOWL-1,free\n';

export async function useSdk(url: string, token: string, transport: 'ws' | 'sse'): Promise<Seen> {
  const client = createClient({ url, token: () => Promise.resolve(token) });
  try {
    return {
      ...(await importProducts(client, CSV.replaceAll('mug', `mug-${transport}`), transport)),
      failure: await failingImport(client, transport),
      userError: await refusedImport(client),
      abortedWith: await abortedWatch(client, transport),
    };
  } finally {
    await client.close();
  }
}

async function importProducts(client: MillraceClient, csv: string, transport: 'ws' | 'sse') {
  const uploadId = await client.uploadFile(csv, 'products.csv');
  const { job } = await client.jobs.start.productImport({ source: { uploadId } });
  const seqs: number[] = [];
  for await (const event of client.jobs.watch(job.id, { transport })) seqs.push(event.seq);
  const result = await client.jobs.result(job.id, { transport });
  if (result.__typename !== 'ProductImportResult') throw new Error(`got ${result.__typename}`);
  return { seqs, result };
}

async function failingImport(client: MillraceClient, transport: 'ws' | 'sse'): Promise<JobErrorCode | null> {
  const uploadId = await client.uploadFile('PK\u0003\u0004 this is a workbook', 'products.csv');
  const { job } = await client.jobs.start.productImport({ source: { uploadId } });
  try {
    await client.jobs.result(job.id, { transport });
    return null;
  } catch (error) {
    if (error instanceof MillraceJobError) return error.code;
    throw error;
  }
}

async function refusedImport(client: MillraceClient): Promise<Seen['userError']> {
  try {
    await client.jobs.start.productImport({ source: { uploadId: 'upl_01h455vb4pex5vsknk084sn02q' } });
    return null;
  } catch (error) {
    if (!(error instanceof MillraceUserError)) throw error;
    const [first] = error.errors;
    return first ? { code: first.code, field: first.field } : null;
  }
}

async function abortedWatch(client: MillraceClient, transport: 'ws' | 'sse'): Promise<string> {
  const uploadId = await client.uploadFile(CSV, 'products.csv');
  const runAt = new Date(Date.now() + 3_600_000).toISOString();
  const { job } = await client.jobs.start.productImport({ source: { uploadId } }, { runAt });
  const stop = new AbortController();
  try {
    for await (const event of client.jobs.watch(job.id, { transport, signal: stop.signal }))
      stop.abort(new Error(`enough after ${event.status}`));
    return 'the stream ended by itself';
  } catch (error) {
    return error instanceof Error ? error.message : 'something that is no Error';
  }
}

/** Mistakes that must not compile. */
export async function mistakes({ jobs }: MillraceClient): Promise<void> {
  // @ts-expect-error: a source is needed
  await jobs.start.productImport({});
  // @ts-expect-error: there is no such kind of job
  void jobs.start.productImprot;
  // @ts-expect-error: there is no such status
  await jobs.list({ filter: { statuses: ['DONE'] } });
  const job = await jobs.get('job_01h455vb4pex5vsknk084sn02q');
  // @ts-expect-error: there may be no such job
  void job.status;
  // @ts-expect-error: a job has no such field
  void job?.state;
}
