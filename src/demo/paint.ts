import type { GetDashboardQuery, JobEvent, JobItemPage, Job } from '../sdk/index.ts';

const BAR_WIDTH = 30;

/** `[██████────] 60 %` */
export function bar(percent: number): string {
  const full = Math.round((BAR_WIDTH * percent) / 100);
  return `[${'█'.repeat(full)}${'─'.repeat(BAR_WIDTH - full)}] ${String(percent).padStart(3)} %`;
}

/** One line for one event of a job's log. */
export function eventLine(event: JobEvent): string {
  const head = `    ${String(event.seq).padStart(3)}  `;
  switch (event.type) {
    case 'STATUS':
      return head + event.status + (event.message ? `  ${event.message}` : '');
    case 'PROGRESS':
      return `${head}${bar(event.progressPercent ?? 0)}  ${event.message ?? ''}`.trimEnd();
    case 'WARNING':
      return `${head}WARNING  ${event.message ?? ''}`;
    case 'LOG':
      return head + (event.message ?? '');
  }
}

export function resultLines(job: Job): string[] {
  const { counts, result } = job;
  const warned = counts.warned > 0 ? ` (${counts.warned} with a warning)` : '';
  const rows = `${counts.processed} rows: ${counts.succeeded} succeeded${warned}, ${counts.failed} rejected`;
  if (result?.__typename !== 'ProductImportResult') return [rows];
  const products = `products: ${result.productsCreated} created, ${result.productsUpdated} updated`;
  const variants = `variants: ${result.variantsCreated} created, ${result.variantsUpdated} updated`;
  return [rows, products, variants, `rows that changed nothing: ${result.unchanged}`];
}

export function itemLines(items: JobItemPage): string[] {
  return items.edges.map(
    ({ node }) => `row ${String(node.row ?? '').padStart(3)}  ${node.outcome}  ${node.message}`,
  );
}

export function panelLines(dashboard: GetDashboardQuery['dashboard']): string[] {
  const { revenue, traffic, ads, social, email, support } = dashboard;
  const money = revenue?.net.map(({ amount, currency }) => `${amount} ${currency}`).join(' + ');
  const panels = [
    [
      'revenue',
      revenue,
      revenue?.state === 'READY' ? `${money ?? ''} net from ${revenue.orders ?? 0} orders` : '',
    ],
    ['traffic', traffic, ''],
    ['ads', ads, ''],
    ['social', social, ''],
    ['email', email, ''],
    ['support', support, ''],
  ] as const;
  return panels.map(([name, panel, text]) =>
    `${name.padEnd(8)} ${(panel?.state ?? 'FAILED').padEnd(14)} ${text}`.trimEnd(),
  );
}
