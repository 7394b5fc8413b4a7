import { z } from 'zod';
import { defineConnector, type Account, type Connector, type Entity } from './connector.ts';
import { ads } from './demo/ads.ts';
import { campaigns } from './demo/campaigns.ts';
import { orders } from './demo/orders.ts';
import { social } from './demo/social.ts';
import { tickets } from './demo/tickets.ts';
import { traffic } from './demo/traffic.ts';

/** A demo provider and the one account that it has. */
export interface DemoProvider {
  readonly connector: Connector;
  readonly account: Account;
}

function demo(
  provider: string,
  title: string,
  days: Pick<Account, 'timeZone' | 'currency'>,
  entities: Readonly<Record<string, Entity<unknown, null>>>,
): DemoProvider {
  const account = { ...days, id: 'demo', label: `${title} (made-up figures)`, missingScopes: [] };
  const connector = defineConnector({
    provider,
    title,
    config: z.strictObject({}),
    credentials: z.strictObject({}),
    // Nobody is asked.
    open: () => null,
    check: () => Promise.resolve(account),
    entities,
  });
  return { connector, account };
}

/** They count days of their own: the demo organization's. */
const BERLIN = { timeZone: 'Europe/Berlin', currency: null };
/** They tell of moments alone. */
const ANYWHERE = { timeZone: null, currency: null };

/**
 * A provider for each panel, to see a dashboard without having an account anywhere. Their figures are made up, from the
 * date alone, so that they are the same each time they are read; today's grow with the clock. One asks for a pause and
 * one fails on a first run, as real ones do.
 */
export const demoProviders: readonly DemoProvider[] = [
  demo('demo_shop', 'Demo shop', { ...ANYWHERE, currency: 'EUR' }, { orders }),
  demo('demo_analytics', 'Demo analytics', BERLIN, { traffic }),
  demo('demo_ads', 'Demo ads', { ...BERLIN, currency: 'EUR' }, { ads }),
  demo('demo_social', 'Demo social', BERLIN, { social }),
  demo('demo_email', 'Demo email', ANYWHERE, { campaigns }),
  demo('demo_support', 'Demo support', ANYWHERE, { tickets }),
];

export const demoConnectors: readonly Connector[] = demoProviders.map(({ connector }) => connector);
