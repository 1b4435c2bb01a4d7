/** A channel, and the steps of its set-up on each platform. */

import type { Schema } from '../../api/client.ts';
import type { PlatformName } from '../../format/platforms.ts';
import type { ChannelText } from '../../texts/channels.ts';

export type Channel = Schema['Channel'];

export type WebhookPlatform = Exclude<PlatformName, 'liveChat'>;
export type SettingName =
  | 'secret'
  | 'accountId'
  | 'channelId'
  | 'businessAccountId'
  | 'accessToken'
  | 'verifyToken';

export type Guide = {
  /** The platform's console. */
  console: { title: string; url: string };
  /** The credentials to copy from the console. */
  copy: ChannelText;
  fields: readonly {
    name: Exclude<SettingName, 'verifyToken'>;
    title: ChannelText;
    hint?: ChannelText;
    isSecret: boolean;
    isRequired: boolean;
  }[];
  /** Meta requires a token that the owner chooses; LINE does not. */
  hasVerifyToken: boolean;
  /** Where to paste this server's address. */
  paste: ChannelText;
  /** The settings to switch on. */
  subscribe: ChannelText;
  /** The platform's names of the subscriptions. */
  subscriptions: readonly string[];
  /** How to cause the first delivery. */
  test: ChannelText;
};

const metaConsole = { title: 'Meta App Dashboard', url: 'https://developers.facebook.com/apps/' };
const accessToken = {
  name: 'accessToken',
  title: 'metaAccessToken',
  hint: 'metaAccessTokenHint',
  isSecret: true,
  isRequired: false,
} as const;
const appSecret = { name: 'secret', title: 'appSecret', isSecret: true, isRequired: true } as const;

export const guides: Readonly<Record<WebhookPlatform, Guide>> = {
  line: {
    console: { title: 'LINE Developers Console', url: 'https://developers.line.biz/console/' },
    copy: 'lineCopy',
    fields: [
      {
        name: 'channelId',
        title: 'lineChannelId',
        hint: 'lineChannelIdHint',
        isSecret: false,
        isRequired: false,
      },
      { name: 'secret', title: 'lineSecret', isSecret: true, isRequired: true },
      {
        name: 'accessToken',
        title: 'lineAccessToken',
        hint: 'lineAccessTokenHint',
        isSecret: true,
        isRequired: false,
      },
    ],
    hasVerifyToken: false,
    paste: 'linePaste',
    subscribe: 'lineSubscribe',
    subscriptions: ['Use webhook', 'Webhook redelivery'],
    test: 'lineTest',
  },
  facebook: {
    console: metaConsole,
    copy: 'metaCopy',
    fields: [
      { name: 'accountId', title: 'pageId', isSecret: false, isRequired: true },
      appSecret,
      accessToken,
    ],
    hasVerifyToken: true,
    paste: 'facebookPaste',
    subscribe: 'facebookSubscribe',
    subscriptions: [
      'messages',
      'message_echoes',
      'messaging_postbacks',
      'messaging_optins',
      'messaging_referrals',
    ],
    test: 'facebookTest',
  },
  instagram: {
    console: metaConsole,
    copy: 'instagramCopy',
    fields: [
      {
        name: 'accountId',
        title: 'instagramId',
        hint: 'instagramIdHint',
        isSecret: false,
        isRequired: true,
      },
      { ...appSecret, hint: 'instagramSecretHint' },
      accessToken,
    ],
    hasVerifyToken: true,
    paste: 'instagramPaste',
    subscribe: 'instagramSubscribe',
    subscriptions: ['messages', 'messaging_postbacks', 'message_echoes'],
    test: 'instagramTest',
  },
  whatsapp: {
    console: metaConsole,
    copy: 'whatsappCopy',
    fields: [
      {
        name: 'accountId',
        title: 'phoneNumberId',
        hint: 'phoneNumberIdHint',
        isSecret: false,
        isRequired: true,
      },
      appSecret,
      { name: 'businessAccountId', title: 'businessAccountId', isSecret: false, isRequired: false },
      accessToken,
    ],
    hasVerifyToken: true,
    paste: 'whatsappPaste',
    subscribe: 'whatsappSubscribe',
    subscriptions: ['messages', 'smb_message_echoes'],
    test: 'whatsappTest',
  },
};

/** A random verify token; Meta accepts any text. */
export function newVerifyToken(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
