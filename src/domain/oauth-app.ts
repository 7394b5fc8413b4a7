/** The installation's own app at a provider, as its operator registered it there. */
export interface OAuthApp {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** Apps by provider; who has none is connected by keys and tokens alone. */
export type OAuthApps = Readonly<Record<string, OAuthApp>>;
