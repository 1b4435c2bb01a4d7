/** Creates the demo's bot as an owner would: channels, an API pair, tags, points and LINE's snapshots. */

import type { ChannelKeys } from '../../simulator/deliveries.ts';
import { type Person, platformIdOf } from '../../simulator/events/event.ts';
import { stableNumber } from '../../simulator/events/ids.ts';
import { nameOf } from '../../simulator/events/texts.ts';
import { snapshotsOf } from '../../simulator/line/report.ts';
import type { Credentials as LineCredentials } from '../../simulator/line/simulator.ts';
import type { Credentials } from '../../simulator/mantago-client.ts';
import type { MetaCredentials } from '../../simulator/meta/credentials.ts';
import type { PointsChange, World } from '../../simulator/world.ts';
import { createAdminToken, listAdminTokens, revokeAdminToken } from '../auth/admin-tokens.ts';
import { createBot, listBots, lockBot, renewPair } from '../bots/bots.ts';
import { setChannel } from '../bots/set-channel.ts';
import { newWidgetKey } from '../bots/widget-keys.ts';
import { type ProfileChange, writeProfiles } from '../contacts/profiles.ts';
import type { Sql, Transaction } from '../database/client.ts';
import { repeatedTransaction } from '../database/repeated-transaction.ts';
import { Refusal } from '../errors.ts';
import { type Creation, findReferences } from '../imports/contact-references.ts';
import { importSnapshots } from '../line/snapshots.ts';
import { type PlatformName, platformNames, webhookPlatformNames } from '../platforms/platform.ts';
import type { PointChange } from '../points/change.ts';
import { writePoints } from '../points/ledger.ts';
import { addTags } from '../tags/tags.ts';
import type { CommandContext, Context } from './context.ts';

const botName = 'Demo shop';
const timeZone = 'Asia/Taipei';
const accountIds = {
  line: 'U5a4d1c3b8e9f70615a4d1c3b8e9f7061',
  facebook: '108880000000001',
  instagram: '17841400000000001',
  whatsapp: '106540000000001',
};

/** The simulated accounts; without one, the account does not exist and its channel has no access token. */
type Accounts = { line?: LineCredentials; meta?: MetaCredentials };

/**
 * Opens the bot with a new API pair; a new bot when `botId` is null or unknown. Idempotent, but it revokes the previous pair and
 * starts a rotation of the secrets.
 */
export async function openDemoBot(
  context: Context,
  botId: string | null,
  { line, meta }: Accounts,
): Promise<{ credentials: Credentials; channels: ChannelKeys }> {
  const secret = () => Buffer.from(context.random(16)).toString('hex');
  return context.withDatabase(async (sql) => {
    const creation = { now: context.clock(), random: context.random, keys: await context.keys(sql) };
    const credentials =
      botId !== null && (await listBots(sql)).some((bot) => bot.botId === botId)
        ? { botId, ...(await renewPair(sql, botId, creation)) }
        : await createBot(sql, { name: botName, timeZone }, creation);
    const app = { secret: meta?.appSecret ?? secret(), verifyToken: meta?.verifyToken ?? secret() };
    const { page, instagram, whatsapp } = meta?.accessTokens ?? {};
    const settings = {
      line: {
        accountId: line?.destination ?? accountIds.line,
        secret: line?.channelSecret ?? secret(),
        ...(line && { accessToken: line.accessToken }),
      },
      facebook: {
        ...app,
        accountId: meta?.pageId ?? accountIds.facebook,
        ...(page && { accessToken: page }),
      },
      instagram: {
        ...app,
        accountId: meta?.instagramId ?? accountIds.instagram,
        ...(instagram && { accessToken: instagram }),
      },
      whatsapp: {
        ...app,
        accountId: meta?.phoneNumberId ?? accountIds.whatsapp,
        ...(meta && { businessAccountId: meta.businessAccountId }),
        ...(whatsapp && { accessToken: whatsapp }),
      },
    };
    for (const platform of webhookPlatformNames)
      await setChannel(sql, { botId: credentials.botId, platform, ...settings[platform] }, creation);
    return { credentials, channels: settings };
  });
}

/** Creates the bot's live chat for pages of the origin, with a new widget key. */
export async function openDemoChat(
  context: Context,
  botId: string,
  origin: string,
): Promise<{ widgetKey: string }> {
  const creation = { now: context.clock(), random: context.random };
  const widgetKey = newWidgetKey(context.random);
  const platform = 'liveChat' as const;
  const settings = { botId, platform, secret: widgetKey, allowedOrigins: [origin] };
  await context.withDatabase(async (sql) =>
    setChannel(sql, settings, { ...creation, keys: await context.keys(sql) }),
  );
  return { widgetKey };
}

/** Creates an admin token with all rights on the bot, and revokes the token of an earlier run. */
export async function demoAdminToken(context: Context, botId: string): Promise<string> {
  const name = `demo ${botId}`;
  const now = context.clock();
  return context.withDatabase(async (sql) => {
    for (const token of await listAdminTokens(sql))
      if (token.name === name) await revokeAdminToken(sql, { tokenId: token.tokenId, now });
    const rights = { name, scope: 'admin', botIds: [botId] } as const;
    return (await createAdminToken(sql, rights, { now, random: context.random })).token;
  });
}

/** Imports the world's tags and points, and LINE's snapshots unless they are collected. Idempotent. */
export async function importOwnData(
  context: CommandContext,
  botId: string,
  world: World,
  { isCollected = false } = {},
): Promise<void> {
  const now = context.clock();
  await context.withDatabase(async (sql) => {
    await sql.begin((tx) => importTags(tx, context, { botId, world, now }));
    await bookPoints(sql, context, { botId, points: world.points });
    if (world.line && !isCollected)
      await importSnapshots(sql, { botId, entries: snapshotsOf(world.line) }, { now });
  });
}

async function importTags(
  tx: Transaction,
  { random }: CommandContext,
  { botId, world, now }: { botId: string; world: World; now: number },
): Promise<void> {
  const contactIds = await contactsOf(tx, botId, world.tags, { now, random });
  const tags = world.tags.map(({ tag }, index) => ({ contactId: contactIds[index] ?? '', tag }));
  await addTags(tx, { botId, tags }, { now, random });
}

/** Books the points at their times. Idempotent. */
async function bookPoints(
  sql: Sql,
  { random }: Pick<CommandContext, 'random'>,
  { botId, points }: { botId: string; points: readonly PointsChange[] },
): Promise<void> {
  for (const [at, ofInstant] of Map.groupBy(points, (change) => change.at)) {
    await repeatedTransaction(sql, async (tx) => {
      const contactIds = await contactsOf(tx, botId, ofInstant, { now: at, random });
      const changes = ofInstant.map(({ key, kind, amount, expiresAt }, index): PointChange => {
        const contactId = contactIds[index] ?? '';
        return kind === 'earn'
          ? { contactId, key, kind, amount, expiresAt }
          : { contactId, key, kind, amount };
      });
      for (const outcome of await writePoints(tx, botId, changes, { now: at })) {
        if (outcome instanceof Refusal) throw outcome;
      }
    });
  }
}

/** One contact in nine stays without a name, as when a platform does not provide it. */
const contactsPerNameless = 9;
const contactsPerCustomer = 4;

/**
 * Names most of the bot's unnamed contacts of the platforms, and binds some contacts to a customer. Idempotent. By default all platforms;
 * fewer where the platforms report names themselves.
 */
export async function nameContacts(
  context: CommandContext,
  botId: string,
  platforms: readonly PlatformName[] = platformNames,
): Promise<void> {
  const now = context.clock();
  await context.withDatabase((sql) =>
    sql.begin(async (tx) => {
      await lockBot(tx, botId);
      const contacts = await tx<
        { contactId: string; key: string; platform: PlatformName; name: string | null }[]
      >`
        select contact_id as "contactId", platform, platform || ' ' || platform_contact_id as key, name
        from contacts left join contact_profiles using (bot_id, contact_id)
        where bot_id = ${botId} and merged_into is null and forgotten_at is null and user_name is null`;
      const profiles = contacts.flatMap(
        ({ contactId, key, platform, name: platformName }): ProfileChange[] => {
          const isUnnamed = platformName === null && platforms.includes(platform);
          const hasName = isUnnamed && stableNumber(`nameless ${key}`, contactsPerNameless) > 0;
          const isCustomer = stableNumber(`customer ${key}`, contactsPerCustomer) === 0;
          const name = hasName ? nameOf(key) : platformName;
          if (name === null || !(hasName || isCustomer)) return [];
          return [
            {
              ...{ contactId, user_name: name },
              ...(hasName && { name }),
              ...(isCustomer && { customer_id: `C-${stableNumber(`number ${key}`, 1e9)}` }),
            },
          ];
        },
      );
      await writeProfiles(tx, botId, profiles, { now });
    }),
  );
}

async function contactsOf(
  tx: Transaction,
  botId: string,
  entries: readonly { person: Person }[],
  creation: Creation,
): Promise<(string | undefined)[]> {
  const references = entries.map(({ person }) => ({
    platform: person.platform,
    contact: platformIdOf(person),
  }));
  return (await findReferences(tx, botId, references, creation)).contactIds;
}
