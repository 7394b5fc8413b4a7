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

type Dashboard = GetDashboardQuery['dashboard'];

/** A line for each panel: its state, and what it says once it is filled. */
export function panelLines(dashboard: Dashboard): string[] {
  return PANELS.map(([name, said]) => {
    const state = dashboard[name]?.state ?? 'FAILED';
    const text = state === 'READY' || state === 'STALE' ? said(dashboard) : '';
    return `${name.padEnd(8)} ${state.padEnd(14)} ${text}`.trimEnd();
  });
}

type PanelName = 'revenue' | 'traffic' | 'ads' | 'social' | 'email' | 'support';

const PANELS: readonly (readonly [PanelName, (dashboard: Dashboard) => string])[] = [
  ['revenue', ({ revenue }) => `${amounts(revenue?.net)} net from ${count(revenue?.orders)} orders`],
  [
    'traffic',
    ({ traffic }) => `${count(traffic?.sessions)} sessions, ${count(traffic?.pageviews)} pages looked at`,
  ],
  [
    'ads',
    ({ ads }) =>
      `${amounts(ads?.spend)} spent for ${count(ads?.clicks)} clicks, ${count(ads?.conversions)} sales`,
  ],
  [
    'social',
    ({ social }) => `${count(social?.followers)} followers, ${count(social?.engagements)} engagements`,
  ],
  ['email', ({ email }) => `${count(email?.sent)} mails sent, ${count(email?.opens)} opened`],
  ['support', ({ support }) => supportText(support)],
];

function supportText(support: Dashboard['support']): string {
  const tickets = `${count(support?.opened)} tickets opened, ${count(support?.solved)} solved`;
  const minutes = support?.firstResponseMinutesMedian;
  return minutes == null ? tickets : `${tickets}, half of them answered in ${count(minutes)} minutes`;
}

function amounts(money: readonly { readonly amount: string; readonly currency: string }[] = []): string {
  return money.map(({ amount, currency }) => `${amount} ${currency}`).join(' + ');
}

function count(value: number | null | undefined): string {
  return Math.round(value ?? 0).toLocaleString('en');
}
