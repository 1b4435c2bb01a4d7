/** A channel as the API tells of it, and what its set-up asks for on each platform. */

import type { Schema } from '../../api/client.ts';
import type { PlatformName } from '../../format/platforms.ts';
import type { ChannelText } from '../../texts/channels.ts';

export type Channel = Schema['Channel'];

export type WebhookPlatform = Exclude<PlatformName, 'liveChat'>;
export type SettingName = 'secret' | 'accountId' | 'accessToken' | 'verifyToken';

export type Guide = {
  /** Where the platform's console is. */
  console: { title: string; url: string };
  /** What is to be copied there, and typed in here. */
  copy: ChannelText;
  fields: readonly {
    name: Exclude<SettingName, 'verifyToken'>;
    title: ChannelText;
    hint?: ChannelText;
    isSecret: boolean;
    isRequired: boolean;
  }[];
  /** Meta asks for a word of the owner's own; LINE does not. */
  hasVerifyToken: boolean;
  /** Where this server's address goes. */
  paste: ChannelText;
  /** What is to be switched on there. */
  subscribe: ChannelText;
  /** The platform's names of what is to be subscribed. */
  subscriptions: readonly string[];
  /** What to do for the first delivery. */
  test: ChannelText;
};

const metaConsole = { title: 'Meta App Dashboard', url: 'https://developers.facebook.com/apps/' };
const appSecret = { name: 'secret', title: 'appSecret', isSecret: true, isRequired: true } as const;

export const guides: Readonly<Record<WebhookPlatform, Guide>> = {
  line: {
    console: { title: 'LINE Developers Console', url: 'https://developers.line.biz/console/' },
    copy: 'lineCopy',
    fields: [
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
    fields: [{ name: 'accountId', title: 'pageId', isSecret: false, isRequired: true }, appSecret],
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
    ],
    hasVerifyToken: true,
    paste: 'whatsappPaste',
    subscribe: 'whatsappSubscribe',
    subscriptions: ['messages', 'smb_message_echoes'],
    test: 'whatsappTest',
  },
};

/** A verify token that nobody guesses; Meta takes any word. */
export function newVerifyToken(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
