/**
 * `shoal channel`: a bot's connections to the platforms. Credentials go in and never come out; only live chat's keys are told: the
 * widget key, which stands in every page that carries the widget, and once the identity key, which is made here.
 */
import type { Command } from 'commander';
import { findBot } from '../bots/bots.ts';
import type { SettingName } from '../bots/channel-settings.ts';
import {
  type ChannelSettings,
  enableChannel,
  findChannel,
  type ListedChannel,
  listChannels,
  newIdentityKey,
  newWidgetKey,
  setChannel,
} from '../bots/channels.ts';
import { Refusal } from '../errors.ts';
import { readPlatform } from '../imports/values.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import type { KeyContext } from './bot.ts';
import { addClicksCommand } from './channel-clicks.ts';
import { addTokenCommands } from './channel-token.ts';

type Flag = {
  name: string;
  setting: Exclude<SettingName, 'identityKey' | 'identityRequired'>;
  platforms: readonly PlatformName[];
  help: string;
};

const meta = ['facebook', 'instagram', 'whatsapp'] as const;
const flags: readonly Flag[] = [
  { name: 'channel-secret', setting: 'secret', platforms: ['line'], help: "the channel's secret" },
  {
    name: 'channel-access-token',
    setting: 'accessToken',
    platforms: ['line'],
    help: 'for calls to LINE, and to open the calls of LINE here',
  },
  {
    name: 'destination',
    setting: 'accountId',
    platforms: ['line'],
    help: 'user id of the account (U…); else any',
  },
  {
    name: 'account-id',
    setting: 'accountId',
    platforms: ['facebook', 'instagram'],
    help: 'id of page or account',
  },
  { name: 'phone-number-id', setting: 'accountId', platforms: ['whatsapp'], help: 'id of the phone number' },
  { name: 'app-secret', setting: 'secret', platforms: meta, help: "the app's secret" },
  {
    name: 'verify-token',
    setting: 'verifyToken',
    platforms: meta,
    help: "any text, typed into Meta's webhook settings",
  },
  { name: 'access-token', setting: 'accessToken', platforms: meta, help: 'for calls to Meta' },
  {
    name: 'allowed-origin',
    setting: 'allowedOrigins',
    platforms: ['liveChat'],
    help: 'page origins; else any',
  },
];

const jsonHelp = 'print one JSON object';
/** Stands for a value that is read from stdin. */
const fromInput = '-';

/** Adds the commands. `readInput` gives all of stdin. */
export function register(program: Command, context: KeyContext, readInput = readStdin): void {
  const channel = program
    .command('channel')
    .description('Channels of a bot: set, list, enable, disable, token, track-clicks.');
  addSet(channel, context, readInput);
  addList(channel, context);
  addEnable(channel, context, { name: 'enable', enabled: true });
  addEnable(channel, context, { name: 'disable', enabled: false });
  addTokenCommands(channel, context);
  addClicksCommand(channel, context);
}

type SetOptions = Record<string, string | string[] | boolean | undefined>;

function addSet(channel: Command, context: KeyContext, readInput: () => Promise<string>): void {
  const set = platformCommand(
    channel,
    'set',
    'Connect a bot to a platform, or change the connection: what is left out stays. A secret that is replaced stays valid ' +
      `for 7 days. One value may be given as ${fromInput}: it is read from stdin.`,
  );
  for (const { name, setting, platforms, help } of flags) {
    const value = setting === 'allowedOrigins' ? '<url...>' : '<value>';
    set.option(`--${name} ${value}`, `${platforms.join(', ')}: ${help}`);
  }
  set
    .option('--new-widget-key', 'liveChat: make a new widget key')
    .option(
      '--new-identity-key',
      'liveChat: make a new identity key and print it; the one before ends at once',
    )
    .option('--identity-required', 'liveChat: only customers that your server vouches for may write')
    .option('--no-identity-required', 'liveChat: anybody may write again')
    .option('--retire-secret', 'end the secret before the current one now')
    .action(async (botId: string, platformText: string, options: SetOptions) => {
      const settings = await readSettings(readPlatform(platformText), options, readInput);
      if (settings.platform === 'liveChat') addLiveChat(settings, options, context);
      const { identityKey } = settings;
      const { widgetKey, webhookPath } = await connect(context, botId, settings);
      const told =
        widgetKey === undefined ? `Set. Webhook path: ${webhookPath}` : `Set. Widget key: ${widgetKey}`;
      const keyTold = identityKey === undefined ? '' : `\nIdentity key (told this once): ${identityKey}`;
      context.out(
        options.json
          ? JSON.stringify({ botId, platform: settings.platform, widgetKey, identityKey, webhookPath })
          : `${told}${keyTold}`,
      );
    });
}

/** What only live chat has: keys that are made here, and who may write. */
function addLiveChat(settings: ChannelSettings, options: SetOptions, { random }: KeyContext): void {
  if (options.newWidgetKey) settings.secret = newWidgetKey(random);
  if (options.newIdentityKey) settings.identityKey = newIdentityKey(random);
  if (typeof options.identityRequired === 'boolean') settings.identityRequired = options.identityRequired;
}

/** What is typed for the platform. Throws Refusal INPUT_INVALID for a flag that it does not have. */
async function readSettings(
  platform: PlatformName,
  options: SetOptions,
  readInput: () => Promise<string>,
): Promise<ChannelSettings> {
  const given = flags.filter(({ name }) => options[camelCase(name)] !== undefined);
  const misplaced = given.find(({ platforms }) => !platforms.includes(platform));
  if (misplaced) {
    const own = flags.filter(({ platforms }) => platforms.includes(platform)).map(({ name }) => `--${name}`);
    throw new Refusal(
      'INPUT_INVALID',
      `--${misplaced.name} is not for ${platform}, which takes ${own.join(', ')}.`,
    );
  }
  const fromStdin = given.filter(({ name }) => options[camelCase(name)] === fromInput);
  if (fromStdin.length > 1)
    throw new Refusal('INPUT_INVALID', `Only one value can be given as ${fromInput}.`);
  const input = fromStdin.length === 1 ? (await readInput()).trim() : '';
  const settings: ChannelSettings = { platform, retireSecret: options.retireSecret === true };
  for (const { name, setting } of given) {
    const value = options[camelCase(name)];
    if (setting === 'allowedOrigins') settings.allowedOrigins = Array.isArray(value) ? value : [];
    else settings[setting] = value === fromInput ? input : String(value);
  }
  return settings;
}

/** Sets the channel, and tells what the owner needs next: the path of the webhook, or the widget key. */
async function connect(
  context: KeyContext,
  botId: string,
  settings: ChannelSettings,
): Promise<{ widgetKey?: string; webhookPath?: string }> {
  const { platform } = settings;
  const now = context.clock();
  return context.withDatabase(async (sql) => {
    const keys = await context.keys(sql);
    await setChannel(sql, { botId, ...settings }, { now, random: context.random, keys });
    if (platform !== 'liveChat') return { webhookPath: `/webhooks/${botId}/${platform}` };
    const [widgetKey = ''] = (await findChannel(sql, keys, { botId, platform, now }))?.secrets ?? [];
    return { widgetKey };
  });
}

function addList(channel: Command, context: KeyContext): void {
  channel
    .command('list')
    .description('List the channels of a bot, without anything secret.')
    .argument('<bot>', 'bot id')
    .option('--json', jsonHelp)
    .action(async (botId: string, { json }: { json?: boolean }) => {
      const channels = await context.withDatabase(async (sql) => {
        await findBot(sql, botId);
        return listChannels(sql, botId, context.clock());
      });
      context.out(json ? JSON.stringify({ botId, channels }) : channels.map(toLine).join('\n') || 'None.');
    });
}

function toLine(channel: ListedChannel): string {
  const {
    platform,
    enabled,
    accountId,
    verifyTokenSet,
    accessTokenSet,
    previousSecretUntil,
    identityKeySet,
    identityRequired,
    allowedOrigins,
  } = channel;
  const parts = [
    platform,
    enabled ? 'enabled' : 'disabled',
    accountId ?? 'any account',
    verifyTokenSet ? 'verify token set' : '',
    accessTokenSet ? 'access token set' : '',
    previousSecretUntil ? `former secret valid until ${previousSecretUntil.toISOString()}` : '',
    identityKeySet ? 'identity key set' : '',
    identityRequired ? 'identity required' : '',
    ...allowedOrigins,
  ];
  return parts.filter((part) => part !== '').join('  ');
}

function addEnable(
  channel: Command,
  context: KeyContext,
  { name, enabled }: { name: 'enable' | 'disable'; enabled: boolean },
): void {
  const description = enabled
    ? 'Take deliveries of a channel again.'
    : 'Take no more deliveries of a channel: they are answered 404. Its credentials stay.';
  platformCommand(channel, name, description).action(
    async (botId: string, platformText: string, { json }: { json?: boolean }) => {
      const platform = readPlatform(platformText);
      const now = context.clock();
      await context.withDatabase((sql) => enableChannel(sql, { botId, platform, enabled, now }));
      context.out(json ? JSON.stringify({ botId, platform, enabled }) : `${platform} is ${name}d.`);
    },
  );
}

function platformCommand(channel: Command, name: string, description: string): Command {
  return channel
    .command(name)
    .description(description)
    .argument('<bot>', 'bot id')
    .argument('<platform>', platformNames.join(', '))
    .option('--json', jsonHelp);
}

function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

async function readStdin(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk;
  return text;
}
