import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * A provider with orders, in a process of its own: `GET /orders?after=n&limit=n&delay=ms` answers with the orders behind
 * the nth, oldest first, of about a kilobyte each, as providers send them. It tells its address to the process that
 * started it.
 */
const YEAR_MS = 365 * 24 * 60 * 60_000;
const FIRST_MS = Date.parse('2025-11-01T00:00:00Z');

/** What nobody reads: an address, what was bought, links. */
const REST = JSON.stringify({
  billing_address: {
    name: 'Ada Example',
    street: 'Long Lane 12',
    city: 'Sampletown',
    zip: '12345',
    country: 'DE',
    phone: '+49 30 000000',
  },
  line_items: Array.from({ length: 2 }, (_, index) => ({
    id: 1_000 + index,
    sku: `CUP-${index}`,
    title: 'A cup with a long name that a shop gave it',
    quantity: 1 + index,
    price: '12.50',
    tax_lines: [{ rate: 0.19, price: '2.00', title: 'VAT' }],
  })),
  tags: ['spring', 'newsletter'],
  note: null,
  status_url: 'https://shop.example/orders/0123456789abcdef0123456789abcdef/authenticate',
}).slice(1, -1);

function orderOf(index: number, total: number): string {
  const at = new Date(FIRST_MS + Math.floor((index / total) * YEAR_MS)).toISOString();
  const amount = `${10 + (index % 190)}.${String(index % 100).padStart(2, '0')}`;
  const refunds = index % 20 === 0 ? `[{"id":"r${index}","at":"${at}","amount":"5.00"}]` : '[]';
  return `{"id":${index},"created_at":"${at}","total":"${amount}","currency":"EUR","channel":"${index % 3 === 0 ? 'pos' : 'web'}","customer_id":${index % 50_000},"refunds":${refunds},${REST}}`;
}

const total = Number(process.argv[2]);
const server = createServer((request, response) => {
  const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const after = Number(searchParams.get('after'));
  const count = Math.max(0, Math.min(Number(searchParams.get('limit')), total - after));
  const orders = Array.from({ length: count }, (_, index) => orderOf(after + index, total));
  void delay(Number(searchParams.get('delay'))).then(() => {
    response.setHeader('content-type', 'application/json');
    response.end(`{"total":${total},"orders":[${orders.join(',')}]}`);
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address)
    process.send?.({ type: 'ready', url: `http://127.0.0.1:${address.port}` });
});
process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());
