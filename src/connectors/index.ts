import type { Config } from '../config.ts';
import type { Connector } from './connector.ts';
import { demoConnectors } from './demo.ts';
import { googleAnalytics } from './google-analytics.ts';
import { mailchimp } from './mailchimp.ts';
import { meta } from './meta.ts';
import { shopify } from './shopify.ts';
import { stripe } from './stripe.ts';
import { zendesk } from './zendesk.ts';

/** Providers by name: the apps take the set as an argument, so that tests add providers of their own. */
export type Connectors = Readonly<Record<string, Connector>>;

/** @throws when two have the same name: at start-up, not at the first sync */
export function connectorsOf(...connectors: readonly Connector[]): Connectors {
  const byName = Object.fromEntries(connectors.map((connector) => [connector.provider, connector]));
  if (Object.keys(byName).length < connectors.length) throw new Error('two providers have the same name');
  return byName;
}

/** The providers that can be connected. */
const REAL = [stripe, shopify, meta, googleAnalytics, mailchimp, zendesk];

export const connectors = connectorsOf(...REAL);

/** The same, and those that make their figures up where the configuration has them. */
export function connectorsFor({ demoProviders }: Pick<Config, 'demoProviders'>): Connectors {
  return demoProviders ? connectorsOf(...REAL, ...demoConnectors) : connectors;
}
