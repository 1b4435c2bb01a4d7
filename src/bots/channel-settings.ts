/**
 * The rules of a channel's settings by platform, as pure code. Sources: LINE "destination" in the webhook reference; Meta's webhook
 * `entry[].id`, and WhatsApp's `metadata.phone_number_id`, which are decimal ids.
 */
import { createPrivateKey } from 'node:crypto';
import { invalidInput } from '../errors.ts';
import { isObject } from '../json.ts';
import type { PlatformName } from '../platforms/platform.ts';

/** New settings; omitted ones stay. */
export type ChannelSettings = {
  platform: PlatformName;
  /** LINE: the channel secret; Meta: the app secret; live chat: the widget key. */
  secret?: string;
  accountId?: string;
  verifyToken?: string;
  accessToken?: string;
  /** LINE: the id of the channel; Shoal then issues its own access tokens. Null removes it, and the assertion key. */
  channelId?: string | null;
  /** LINE: the private key of v2.1 assertions, a JSON Web Key with its kid. */
  assertionKey?: string;
  /** WhatsApp: the business account of the phone number. */
  businessAccountId?: string;
  allowedOrigins?: string[];
  /** Live chat. */
  identityKey?: string;
  identityRequired?: boolean;
  /** True: the previous secret becomes invalid. */
  retireSecret?: boolean;
};

export type SettingName = Exclude<keyof ChannelSettings, 'platform' | 'retireSecret'>;

type Rule = {
  /** The platform's settings by its own names; `required`: those that a new channel needs. */
  names: Partial<Record<SettingName, string>>;
  required: readonly SettingName[];
  account: { form: RegExp; expected: string } | null;
};

const decimalId = { form: /^\d{1,32}$/, expected: 'digits only' };
const metaRequired = ['accountId', 'secret', 'verifyToken'] as const;
const metaNames = { secret: 'app secret', verifyToken: 'verify token', accessToken: 'access token' };

export const channelRules: Readonly<Record<PlatformName, Rule>> = {
  line: {
    names: {
      secret: 'channel secret',
      accountId: 'destination',
      accessToken: 'channel access token',
      channelId: 'channel id',
      assertionKey: 'assertion key',
    },
    required: ['secret'],
    account: { form: /^U[0-9a-f]{32}$/, expected: 'U and 32 hexadecimal digits' },
  },
  facebook: { names: { ...metaNames, accountId: 'account id' }, required: metaRequired, account: decimalId },
  instagram: { names: { ...metaNames, accountId: 'account id' }, required: metaRequired, account: decimalId },
  whatsapp: {
    names: { ...metaNames, accountId: 'phone number id', businessAccountId: 'business account id' },
    required: metaRequired,
    account: decimalId,
  },
  liveChat: {
    names: {
      secret: 'widget key',
      allowedOrigins: 'allowed origin',
      identityKey: 'identity key',
      identityRequired: 'identity',
    },
    required: ['secret'],
    account: null,
  },
};

const settingNames = [
  'secret',
  'accountId',
  'verifyToken',
  'accessToken',
  'channelId',
  'assertionKey',
  'businessAccountId',
  'allowedOrigins',
  'identityKey',
  'identityRequired',
] as const;
const secretLengthMax = 1_000;
const keyLengthMax = 10_000;
const originsMax = 100;

/** Throws Refusal INPUT_INVALID for an unknown, missing or malformed setting. */
export function checkSettings(settings: ChannelSettings, { isNew }: { isNew: boolean }): void {
  const { platform, accountId, allowedOrigins } = settings;
  const { names, required, account } = channelRules[platform];
  for (const setting of settingNames) {
    const isSet = settings[setting] !== undefined;
    const name = names[setting];
    if (isSet && name === undefined) throw invalidInput(`A ${platform} channel has no ${setting}.`);
    if (!isSet && isNew && required.includes(setting))
      throw invalidInput(`A new ${platform} channel needs its ${name}.`);
  }
  if (account && accountId !== undefined && !account.form.test(accountId)) {
    throw invalidInput(
      `The ${names.accountId} of ${platform} is ${account.expected}, not ${JSON.stringify(accountId)}.`,
    );
  }
  const { channelId, assertionKey } = settings;
  if (channelId != null && !decimalId.form.test(channelId)) {
    throw invalidInput(`The channel id of line is digits only, not ${JSON.stringify(channelId)}.`);
  }
  if (channelId === null && assertionKey !== undefined)
    throw invalidInput('An assertion key needs the channel id.');
  if (assertionKey !== undefined) checkAssertionKey(assertionKey);
  const { businessAccountId } = settings;
  if (businessAccountId !== undefined && !decimalId.form.test(businessAccountId))
    throw invalidInput(`The business account id is digits only, not ${JSON.stringify(businessAccountId)}.`);
  for (const setting of ['secret', 'verifyToken', 'accessToken', 'identityKey'] as const) {
    checkSecret(names[setting] ?? setting, settings[setting]);
  }
  checkOrigins(allowedOrigins ?? []);
}

// The message omits the key.
function checkAssertionKey(text: string): void {
  if (text.length <= keyLengthMax && isSigningKey(text)) return;
  throw invalidInput('The assertion key must be a private RSA key as a JSON Web Key, with its kid.');
}

function isSigningKey(text: string): boolean {
  try {
    const key: unknown = JSON.parse(text);
    if (!isObject(key) || typeof key.kid !== 'string' || key.kid === '') return false;
    return createPrivateKey({ key, format: 'jwk' }).asymmetricKeyType === 'rsa';
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

// The message omits the value, which may be the right secret with a typing error.
function checkSecret(name: string, value: string | undefined): void {
  if (value === undefined || (value.length <= secretLengthMax && /^[\x21-\x7e]+$/.test(value))) return;
  throw invalidInput(`The ${name} must have 1 to ${secretLengthMax} visible ASCII characters and no spaces.`);
}

function checkOrigins(origins: readonly string[]): void {
  if (origins.length > originsMax)
    throw invalidInput(`At most ${originsMax} origins can be allowed, not ${origins.length}.`);
  for (const origin of origins) {
    const isOrigin = /^https?:\/\//.test(origin) && URL.parse(origin)?.origin === origin;
    if (!isOrigin)
      throw invalidInput(
        `An allowed origin is like https://shop.example, without a path, not ${JSON.stringify(origin)}.`,
      );
  }
}
