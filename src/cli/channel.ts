/**
 * `shoal channel`: a bot's connections to the platforms. No command prints stored credentials, except the public widget key. The
 * identity key of live chat is printed once, when it is created.
 */
import { text } from 'node:stream/consumers';
import { Argument } from 'commander';
import { findBot } from '../bots/bots.ts';
import type { ChannelSettings, SettingName } from '../bots/channel-settings.ts';
import {
  enableChannel,
  findChannel,
  type ListedChannel,
  type ListedTokenCheck,
  listChannels,
  trackClicks,
} from '../bots/channels.ts';
import { isMetaPlatform } from '../bots/meta-tokens.ts';
import { newIdentityKey, newWidgetKey } from '../bots/widget-keys.ts';
import { connectChannel } from '../channels/connect-channel.ts';
import type { Config } from '../config.ts';
import type { Sql } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { readPlatform } from '../imports/values.ts';
import { LineAccess } from '../line/access.ts';
import { LineClient } from '../line/line-client.ts';
import { GraphClient } from '../meta/graph-client.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import type { KeyContext as BotContext } from './bot.ts';
import { addTokenCommands } from './channel-token.ts';
import { renderLine, renderList, type ShoalCommand } from './command.ts';

/** Also the addresses of the platforms' APIs. */
export type ChannelContext = BotContext & { config(): Pick<Config, 'lineApi' | 'graphApi' | 'instagramApi'> };

type Flag = {
  name: string;
  setting: Exclude<SettingName, 'identityKey' | 'identityRequired'>;
  platforms: readonly PlatformName[];
  help: string;
};

const line = ['line'] as const;
const pages = ['facebook', 'instagram'] as const;
const meta = ['facebook', 'instagram', 'whatsapp'] as const;
const flags: readonly Flag[] = [
  flag('channel-secret', 'secret', line, "the channel's secret"),
  flag(
    'channel-access-token',
    'accessToken',
    line,
    "for calls to LINE, and to authorize LINE's calls through Shoal",
  ),
  flag(
    'channel-id',
    'channelId',
    line,
    'id of the channel, which LINE checks at once; Shoal then issues its own short-lived access tokens',
  ),
  flag(
    'assertion-key',
    'assertionKey',
    line,
    'private key (JSON Web Key with kid) that requests these tokens in place of the secret',
  ),
  flag('destination', 'accountId', line, 'user id of the account (U…) (default: any)'),
  flag('account-id', 'accountId', pages, 'id of the page or account'),
  flag('phone-number-id', 'accountId', ['whatsapp'], 'id of the phone number'),
  flag('app-secret', 'secret', meta, "the app's secret"),
  flag('verify-token', 'verifyToken', meta, "any text, typed into Meta's webhook settings"),
  flag('access-token', 'accessToken', meta, 'for calls to Meta; Shoal checks it at once'),
  flag(
    'business-account-id',
    'businessAccountId',
    ['whatsapp'],
    'id of the WhatsApp business account, for its figures',
  ),
  flag('allowed-origin', 'allowedOrigins', ['liveChat'], 'origins of pages (default: any)'),
];

function flag(name: string, setting: Flag['setting'], platforms: Flag['platforms'], help: string): Flag {
  return { name, setting, platforms, help };
}

/** The value is read from stdin. */
const fromInput = '-';

/** Adds the commands. `readInput` returns all of stdin. */
export function register(
  program: ShoalCommand,
  context: ChannelContext,
  readInput = () => text(process.stdin),
): void {
  const channel = program.add(
    'channel',
    'Channels of a bot: set, list, enable, disable, token, track-clicks.',
  );
  addSet(channel, context, readInput);
  channel
    .addForBot('list', 'List the channels of a bot, without secrets.')
    .answer((botId: string) => async (sql) => {
      await findBot(sql, botId);
      const channels = await listChannels(sql, botId, context.clock());
      return { json: { botId, channels }, text: renderList(channels, renderChannel) };
    });
  for (const enabled of [true, false]) {
    const name = enabled ? 'enable' : 'disable';
    const description = enabled
      ? 'Accept deliveries of a channel again.'
      : 'Refuse deliveries of a channel with 404. Its credentials stay.';
    addForPlatform(channel, name, description).answer(
      (botId: string, platform: PlatformName) => async (sql) => {
        await sql.begin((tx) => enableChannel(tx, { botId, platform, enabled, now: context.clock() }));
        return { json: { botId, platform, enabled }, text: `${platform} is ${name}d.` };
      },
    );
  }
  addTokenCommands(channel, context);
  addTrackClicks(channel, context);
}

type SetOptions = Record<string, string | string[] | boolean | undefined>;

function addSet(channel: ShoalCommand, context: ChannelContext, readInput: () => Promise<string>): void {
  const set = addForPlatform(
    channel,
    'set',
    'Connect a bot to a platform, or change the connection. Omitted options keep their value. A replaced secret stays valid ' +
      `for 7 days. The value ${fromInput} reads one option from stdin.`,
  );
  for (const { name, setting, platforms, help } of flags) {
    const value = setting === 'allowedOrigins' ? '<url...>' : '<value>';
    set.option(`--${name} ${value}`, `${platforms.join(', ')}: ${help}`);
  }
  set
    .option('--no-channel-id', 'line: remove the channel id and the assertion key')
    .option('--new-widget-key', 'liveChat: create a new widget key')
    .option(
      '--new-identity-key',
      'liveChat: create and print a new identity key; replaces the old one at once',
    )
    .option('--identity-required', 'liveChat: only identified customers may write')
    .option('--no-identity-required', 'liveChat: all visitors may write')
    .option('--retire-secret', 'revoke the previous secret at once')
    .answer(async (botId: string, platform: PlatformName, options: SetOptions) => {
      const settings = await readSettings(platform, options, readInput);
      if (platform === 'liveChat') addLiveChat(settings, options, context);
      return async (sql) => {
        const { identityKey } = settings;
        const { widgetKey, webhookPath } = await connect(context, sql, botId, settings);
        const channels = await listChannels(sql, botId, context.clock());
        const tokenCheck = channels.find((one) => one.platform === platform)?.tokenCheck ?? null;
        const checkLine = settings.accessToken === undefined ? '' : renderCheck(platform, tokenCheck);
        const result = widgetKey === undefined ? `Webhook path: ${webhookPath}` : `Widget key: ${widgetKey}`;
        const keyLine = identityKey === undefined ? '' : `\nIdentity key, shown only once: ${identityKey}`;
        return {
          json: {
            ...{ botId, platform, widgetKey, identityKey, webhookPath },
            ...(settings.accessToken !== undefined && isMetaPlatform(platform) && { tokenCheck }),
          },
          text: `Set. ${result}${keyLine}${checkLine}`,
        };
      };
    });
}

/** Adds the settings of live chat: generated keys, and whether visitors must be identified. */
function addLiveChat(settings: ChannelSettings, options: SetOptions, { random }: BotContext): void {
  if (options.newWidgetKey) settings.secret = newWidgetKey(random);
  if (options.newIdentityKey) settings.identityKey = newIdentityKey(random);
  if (typeof options.identityRequired === 'boolean') settings.identityRequired = options.identityRequired;
}

/** Reads the options of the platform. Throws Refusal INPUT_INVALID for an option of another platform. */
async function readSettings(
  platform: PlatformName,
  options: SetOptions,
  readInput: () => Promise<string>,
): Promise<ChannelSettings> {
  const usedFlags = flags.filter(({ name }) => options[camelCase(name)] !== undefined);
  const wrongFlag = usedFlags.find(({ platforms }) => !platforms.includes(platform));
  if (wrongFlag) {
    const allowed = flags.filter((flag) => flag.platforms.includes(platform)).map(({ name }) => `--${name}`);
    throw new Refusal(
      'INPUT_INVALID',
      `--${wrongFlag.name} is not for ${platform}. Use ${allowed.join(', ')}.`,
    );
  }
  const fromStdin = usedFlags.filter(({ name }) => options[camelCase(name)] === fromInput);
  if (fromStdin.length > 1)
    throw new Refusal('INPUT_INVALID', `Only one value can be read from stdin (${fromInput}).`);
  const input = fromStdin.length === 1 ? (await readInput()).trim() : '';
  const settings: ChannelSettings = { platform, retireSecret: options.retireSecret === true };
  for (const { name, setting } of usedFlags) {
    const value = options[camelCase(name)];
    if (setting === 'allowedOrigins') settings.allowedOrigins = Array.isArray(value) ? value : [];
    else if (setting === 'channelId' && value === false) settings.channelId = null;
    else settings[setting] = value === fromInput ? input : String(value);
  }
  return settings;
}

/** Sets the channel. Returns what the owner needs next: the webhook's path, or the widget key. */
async function connect(
  context: ChannelContext,
  sql: Sql,
  botId: string,
  settings: ChannelSettings,
): Promise<{ widgetKey?: string; webhookPath?: string }> {
  const { platform } = settings;
  const now = context.clock();
  const keys = await context.keys(sql);
  const { lineApi, graphApi, instagramApi } = context.config();
  const graph = new GraphClient({ facebook: graphApi, instagram: instagramApi });
  const line = new LineClient(lineApi);
  const access = new LineAccess(line, { clock: context.clock, onCall: () => undefined });
  try {
    await connectChannel(sql, { botId, ...settings }, { now, random: context.random, keys, graph, access });
  } finally {
    await Promise.all([graph.close(), line.close()]);
  }
  if (platform !== 'liveChat') return { webhookPath: `/webhooks/${botId}/${platform}` };
  const [widgetKey = ''] = (await findChannel(sql, keys, { botId, platform, now }))?.secrets ?? [];
  return { widgetKey };
}

/** The result of the check of a new Meta token, on a line of its own. */
function renderCheck(platform: PlatformName, check: ListedTokenCheck | null): string {
  if (!isMetaPlatform(platform)) return '';
  if (check === null)
    return '\nThe access token was not checked, because Meta cannot be reached. Shoal checks it later.';
  const { expiresAt, missingPermissions } = check;
  const end = expiresAt === null ? 'It does not expire.' : `It expires on ${expiresAt.toISOString()}.`;
  const missing =
    missingPermissions.length === 0 ? '' : ` Missing permissions: ${missingPermissions.join(', ')}.`;
  return `\nMeta accepts the access token. ${end}${missing}`;
}

function renderChannel(channel: ListedChannel): string {
  return renderLine(
    channel.platform,
    channel.enabled ? 'enabled' : 'disabled',
    channel.accountId ?? 'any account',
    channel.verifyTokenSet && 'verify token set',
    channel.accessTokenSet && 'access token set',
    channel.channelId !== null && `channel id ${channel.channelId}`,
    channel.assertionKeySet && 'assertion key set',
    ['access token expires', channel.tokenCheck?.expiresAt ?? null],
    ...(channel.tokenCheck?.missingPermissions ?? []).map((name) => `permission ${name} missing`),
    channel.tokenCheck?.problem,
    ['previous secret valid until', channel.previousSecretUntil],
    channel.identityKeySet && 'identity key set',
    channel.identityRequired && 'identity required',
    ...channel.allowedOrigins,
  );
}

function addForPlatform(channel: ShoalCommand, name: string, description: string): ShoalCommand {
  return channel.addForBot(name, description).argument('<platform>', platformNames.join(', '), readPlatform);
}

/** Click counting of a LINE channel's sends through the gateway. */
function addTrackClicks(channel: ShoalCommand, context: ChannelContext): void {
  channel
    .addForBot(
      'track-clicks',
      "Count clicks of a LINE channel: replaces URLs in sends through Shoal by Shoal's links. A send's header " +
        'X-Shoal-Track-Clicks overrides this. Needs SHOAL_PUBLIC_URL.',
    )
    .addArgument(new Argument('<state>', 'on or off').choices(['on', 'off']))
    .answer((botId: string, state: string) => async (sql) => {
      const isOn = state === 'on';
      await sql.begin((tx) => trackClicks(tx, { botId, isOn, now: context.clock() }));
      return { json: { botId, trackClicks: isOn }, text: `Clicks are ${isOn ? '' : 'not '}counted.` };
    });
}

function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
