import type { Fault } from '../fault.ts';

/** The command as ioredis sends it; BullMQ's scripts may hold the word. */
const PUBLISH = /\$7\r\npublish\r\n/i;

/** The workers' hints do not reach Redis, all else does: readers must find out by themselves. */
export const publisherCut: Fault = {
  name: 'publisher-cut',
  backends: ['redis'],
  shape: { proxied: 'all' },
  settledWithinSeconds: { full: 30, short: 20 },
  async run(chaos) {
    chaos.stack.proxies?.redis?.cutThoseThatSend(PUBLISH);
    await chaos.load.startMany(30, 'slow', 30, true);
    await chaos.last(20, 3);
    chaos.stack.proxies?.redis?.restore();
    chaos.over();
  },
};
