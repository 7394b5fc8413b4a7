/**
 * Which accounts make up an organization's revenue: shops tell of orders, payment providers of the money for them, and
 * both of the same sales. `auto`: payments count only where there is no shop.
 */
export const REVENUE_SOURCES = ['auto', 'shops', 'payments', 'all'] as const;
export type RevenueSources = (typeof REVENUE_SOURCES)[number];
