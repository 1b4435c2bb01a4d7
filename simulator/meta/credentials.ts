/**
 * The app and the accounts of the Meta simulator: one page, one Instagram account, one WhatsApp number, and the access tokens of each.
 */
import { hexOf } from '../events/random.ts';

/** The kinds of tokens: a page access token, an Instagram user token, a WhatsApp system-user token. */
export const tokenKinds = ['page', 'instagram', 'whatsapp'] as const;
export type TokenKind = (typeof tokenKinds)[number];

/** The settings of Shoal's channels for these accounts. */
export type MetaCredentials = {
  appId: string;
  appSecret: string;
  verifyToken: string;
  pageId: string;
  instagramId: string;
  businessAccountId: string;
  phoneNumberId: string;
  phoneNumber: string;
  accessTokens: Record<TokenKind, string>;
};

export type TokenState = {
  /** In ms; null: it does not expire. */
  expiresAt: number | null;
  isRevoked: boolean;
  scopes: string[];
};

const scopes: Record<TokenKind, readonly string[]> = {
  page: [
    'pages_show_list',
    'pages_messaging',
    'pages_read_engagement',
    'pages_manage_metadata',
    'read_insights',
    'instagram_basic',
    'instagram_manage_messages',
    'instagram_manage_insights',
  ],
  instagram: [
    'instagram_business_basic',
    'instagram_business_manage_messages',
    'instagram_business_manage_insights',
  ],
  whatsapp: ['whatsapp_business_management', 'whatsapp_business_messaging'],
};

/** Credentials that depend on the seed, except for the given ones. */
export function metaCredentials(seed: number, given: Partial<MetaCredentials> = {}): MetaCredentials {
  const digits = (name: string, first: string) =>
    first + (BigInt(`0x${hexOf(seed, name).slice(0, 14)}`) % 10n ** 13n).toString().padStart(13, '0');
  const token = (kind: TokenKind) =>
    `${kind === 'instagram' ? 'IGAA' : 'EAA'}${hexOf(seed, 'token', kind).slice(0, 48)}`;
  return {
    appId: digits('app', '2'),
    appSecret: hexOf(seed, 'app secret').slice(0, 32),
    verifyToken: hexOf(seed, 'verify token').slice(0, 16),
    pageId: digits('page', '1'),
    instagramId: digits('instagram', '1784'),
    businessAccountId: digits('business account', '1'),
    phoneNumberId: digits('phone number', '10'),
    phoneNumber: '886255501000',
    accessTokens: { page: token('page'), instagram: token('instagram'), whatsapp: token('whatsapp') },
    ...given,
  };
}

/** Tokens with all permissions that do not expire, except Instagram's, which expires after 60 days. */
export function newTokens(instagramExpiresAt: number): Record<TokenKind, TokenState> {
  const state = (kind: TokenKind, expiresAt: number | null = null): TokenState => ({
    ...{ expiresAt, isRevoked: false, scopes: [...scopes[kind]] },
  });
  return {
    page: state('page'),
    instagram: state('instagram', instagramExpiresAt),
    whatsapp: state('whatsapp'),
  };
}
