import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { isTimeZone } from '../domain/period.ts';
import { ProviderClient } from './client.ts';
import { defineConnector, type Account, type OpenOptions } from './connector.ts';
import { adInsights } from './meta/ads.ts';
import { PACIFIC } from './meta/days.ts';
import { judge } from './meta/error.ts';
import { ORIGIN, readAnswer, VERSION, type MetaConfig } from './meta/graph.ts';
import { instagramInsights } from './meta/instagram.ts';
import { metaOAuth } from './meta/oauth.ts';
import { pageInsights } from './meta/page.ts';
import { ProviderError } from './provider-error.ts';

/** Insights are counted while we wait. */
const TIMEOUT_MS = 60_000;

const digits = z.string().regex(/^\d{1,30}$/, { error: 'expected digits alone' });
const config = z
  .strictObject({
    adAccountId: digits.optional(),
    pageId: digits.optional(),
    instagramId: digits.optional(),
  })
  .refine((given) => Object.values(given).some((id) => id !== undefined), {
    error: 'expected an ad account, a Page or an Instagram account',
  });

const secret = z.string().regex(/^[\x21-\x7e]{1,1000}$/, { error: 'expected letters, digits and signs' });
/** A token of a system user does not expire; one of a person lives for some 60 days, and nothing renews it. */
const credentials = z.strictObject({ accessToken: secret, appSecret: secret.optional() });
type Credentials = z.infer<typeof credentials>;

function open({
  credentials: store,
  clock,
  baseUrl = ORIGIN,
  backoff,
}: OpenOptions<MetaConfig, Credentials>) {
  return new ProviderClient({
    clock,
    ...(backoff ? { backoff } : {}),
    protocol: {
      title: 'Meta',
      baseUrl: `${baseUrl}/${VERSION}`,
      timeoutMs: TIMEOUT_MS,
      requestIdHeader: 'x-fb-trace-id',
      headers: async () => ({ authorization: `Bearer ${(await store.read()).accessToken}` }),
      query: async ({ authorization = '' }) => proofOf(authorization, (await store.read()).appSecret),
      renew: async () => false,
      judge,
    },
  });
}

/** Shows that whoever has the token has the app's secret too: https://developers.facebook.com/docs/graph-api/guides/secure-requests */
function proofOf(authorization: string, appSecret: string | undefined): Record<string, string> {
  if (appSecret === undefined) return {};
  const token = authorization.replace(/^Bearer /, '');
  return { appsecret_proof: createHmac('sha256', appSecret).update(token).digest('hex') };
}

const adAccount = z.object({
  id: z.string(),
  name: z.string().default(''),
  currency: z.string(),
  timezone_name: z.string(),
});
const page = z.object({ id: z.string(), name: z.string().default('') });
const instagram = z.object({ id: z.string(), username: z.string().default('') });

async function check(client: ProviderClient, given: MetaConfig, signal: AbortSignal): Promise<Account> {
  const about = async <Shape>(path: string, shape: z.ZodObject & z.ZodType<Shape>): Promise<Shape> => {
    const query = { fields: Object.keys(shape.shape).join(',') };
    return readAnswer(shape, await client.request({ path, query }, signal));
  };
  const { adAccountId, pageId, instagramId } = given;
  const ads = adAccountId === undefined ? null : await about(`/act_${adAccountId}`, adAccount);
  const facebook = pageId === undefined ? null : await about(`/${pageId}`, page);
  const gram = instagramId === undefined ? null : await about(`/${instagramId}`, instagram);
  const names = [
    ads && (ads.name || ads.id),
    facebook && (facebook.name || facebook.id),
    gram && `@${gram.username}`,
  ];
  return {
    id: ads?.id ?? facebook?.id ?? gram?.id ?? '',
    label: names.filter((name) => name !== null).join(', '),
    timeZone: ads && isTimeZone(ads.timezone_name) ? ads.timezone_name : PACIFIC,
    currency: ads?.currency ?? null,
    missingScopes: await missingScopes(client, given, signal),
  };
}

/** By what is read; of several, one is enough. */
const SCOPES: Readonly<Record<keyof MetaConfig, readonly (readonly [string, ...string[]])[]>> = {
  adAccountId: [['ads_read', 'ads_management']],
  pageId: [['read_insights'], ['pages_read_engagement'], ['pages_show_list']],
  instagramId: [['instagram_basic'], ['instagram_manage_insights']],
};

const permissions = z.object({ data: z.array(z.object({ permission: z.string(), status: z.string() })) });

/** A token that belongs to nobody, such as a Page's, has no list of permissions: then none is known to be missing. */
async function missingScopes(
  client: ProviderClient,
  given: MetaConfig,
  signal: AbortSignal,
): Promise<string[]> {
  try {
    const { data } = readAnswer(permissions, await client.request({ path: '/me/permissions' }, signal));
    const granted = new Set(data.filter(({ status }) => status === 'granted').map((each) => each.permission));
    const { adAccountId, pageId, instagramId } = SCOPES;
    const needed = [
      ...(given.adAccountId === undefined ? [] : adAccountId),
      ...(given.pageId === undefined ? [] : pageId),
      ...(given.instagramId === undefined ? [] : instagramId),
    ];
    return needed.filter((names) => !names.some((name) => granted.has(name))).map(([name]) => name);
  } catch (error) {
    if (error instanceof ProviderError && error.kind === 'bad_request') return [];
    throw error;
  }
}

export const meta = defineConnector<MetaConfig, Credentials>({
  provider: 'meta',
  title: 'Meta',
  config,
  credentials,
  open,
  check,
  entities: {
    ad_insights: adInsights,
    page_insights: pageInsights,
    instagram_insights: instagramInsights,
  },
  oauth: metaOAuth,
});
