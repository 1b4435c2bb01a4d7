/**
 * The check of a Meta channel's access token: the account that it belongs to, its expiry, and the permissions that are missing for
 * Shoal's calls. Sources (developers.facebook.com, read 2026-12-01): "Debug-Token", "Messaging Insights API" (2026-03-27), "User
 * Profile API" of Instagram messaging (2026-04-01) and of Instagram Login (2025-01-21), "Instagram Account Insights" (2026-06-16),
 * "Conversations API" (2026-02-11), "WhatsApp permissions" (2026-07-01).
 */
import type { MetaPlatform, TokenCheck } from '../bots/meta-tokens.ts';
import { isObject } from '../json.ts';
import { dayMs, secondMs } from '../time.ts';
import { type GraphClient, GraphFailure, type GraphHost } from './graph-client.ts';

export type MetaChannel = {
  platform: MetaPlatform;
  accessToken: string;
  /** Page, Instagram account, or phone number. */
  accountId: string;
  /** WhatsApp. */
  businessAccountId: string | null;
};

/** The permissions that Shoal's calls need, by the kind of token. */
const permissions = {
  facebook: ['pages_messaging', 'pages_read_engagement', 'pages_show_list', 'read_insights'],
  instagram: [
    ...['instagram_basic', 'instagram_manage_messages', 'instagram_manage_insights'],
    ...['pages_manage_metadata', 'pages_read_engagement', 'pages_show_list'],
  ],
  'instagram-login': [
    'instagram_business_basic',
    'instagram_business_manage_messages',
    'instagram_business_manage_insights',
  ],
  whatsapp: ['whatsapp_business_management', 'whatsapp_business_messaging'],
} as const;

/** A long-lived Instagram token is valid for 60 days. Instagram's host does not report its end. */
const instagramTokenMs = 60 * dayMs;

/** Tokens of Instagram Login work on Instagram's host only. They begin with IG. */
export function hostOf({ accessToken }: Pick<MetaChannel, 'accessToken'>): GraphHost {
  return accessToken.startsWith('IG') ? 'instagram' : 'facebook';
}

/** Checks a token with Meta. `setAt`: the time at which it was set, ms. Throws GraphFailure, and Stopped. */
export async function checkToken(
  client: Pick<GraphClient, 'get'>,
  channel: MetaChannel,
  setAt: number,
): Promise<TokenCheck> {
  const problem = await checkAccount(client, channel);
  const isInstagramLogin = hostOf(channel) === 'instagram';
  const needed = permissions[isInstagramLogin ? 'instagram-login' : channel.platform];
  const details = await debugToken(client, channel);
  if (details === null) {
    return { expiresAt: isInstagramLogin ? setAt + instagramTokenMs : null, missingPermissions: [], problem };
  }
  const { expiresAt, scopes } = details;
  return { expiresAt, missingPermissions: needed.filter((name) => !scopes.includes(name)), problem };
}

async function checkAccount(client: Pick<GraphClient, 'get'>, channel: MetaChannel): Promise<string | null> {
  const { platform, accessToken, accountId, businessAccountId } = channel;
  const host = hostOf(channel);
  const me = await client.get({ host, path: '/me?fields=id', token: accessToken });
  if (platform === 'facebook') {
    if (me.value.id === accountId) return null;
    return `The access token belongs to ${String(me.value.id)}, not to the page ${accountId}. Set a page access token of this page.`;
  }
  if (platform === 'instagram' && host === 'instagram') {
    const { value } = await client.get({ host, path: '/me?fields=user_id,username', token: accessToken });
    if (value.user_id === accountId) return null;
    return `The access token belongs to the Instagram account ${String(value.user_id)}, not to ${accountId}.`;
  }
  const ids = platform === 'whatsapp' ? [accountId, businessAccountId] : [accountId];
  for (const id of ids) {
    if (id === null) return 'The business account id is missing: set it, too.';
    try {
      await client.get({ host, path: `/${id}?fields=id`, token: accessToken });
    } catch (error) {
      const isUnknown =
        error instanceof GraphFailure && (error.code === 100 || error.failure === 'unavailable');
      if (!isUnknown) throw error;
      return `The access token gives no access to ${id}. ${error.message}`;
    }
  }
  return null;
}

/**
 * The expiry and the permissions of a token; null: Meta does not report them for this kind of token. Meta takes the checked token as a
 * parameter of the address only, and has no other call for it. Errors contain no address.
 */
async function debugToken(
  client: Pick<GraphClient, 'get'>,
  channel: MetaChannel,
): Promise<{ expiresAt: number | null; scopes: unknown[] } | null> {
  const { accessToken } = channel;
  try {
    const path = `/debug_token?input_token=${encodeURIComponent(accessToken)}`;
    const { value } = await client.get({ host: hostOf(channel), path, token: accessToken });
    const data = isObject(value.data) ? value.data : {};
    if (!Array.isArray(data.scopes)) return null;
    const ends = [data.expires_at, data.data_access_expires_at].filter(
      (seconds) => typeof seconds === 'number' && seconds > 0,
    );
    const expiresAt =
      ends.length === 0 ? null : Math.min(...ends.map((seconds) => Number(seconds) * secondMs));
    return { expiresAt, scopes: data.scopes };
  } catch (error) {
    if (error instanceof GraphFailure && (error.failure === 'nonsense' || error.failure === 'unavailable'))
      return null;
    throw error;
  }
}
