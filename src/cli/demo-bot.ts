/** The demo's bot, as its owner would set it up: four channels, an API pair, tags, points and LINE's reports. */

import type { Credentials } from '../../simulator/caller.ts';
import { variety } from '../../simulator/diary.ts';
import { type Person, platformIdOf } from '../../simulator/happening.ts';
import type { Credentials as LineCredentials } from '../../simulator/line/line-side.ts';
import { lineAnswersOf } from '../../simulator/line-account.ts';
import { nameOf } from '../../simulator/names.ts';
import type { ChannelKeys } from '../../simulator/platforms.ts';
import type { PointsChange, World } from '../../simulator/world.ts';
import { createAdminToken, listAdminTokens, revokeAdminToken } from '../auth/admin-tokens.ts';
import { createBot, findBot, lockBot, renewPair } from '../bots/bots.ts';
import { newWidgetKey, setChannel } from '../bots/channels.ts';
import { type ProfileChange, writeProfiles } from '../contacts/profiles.ts';
import type { Sql, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { type Creation, findReferences } from '../imports/contact-references.ts';
import { importSnapshots } from '../line/snapshots.ts';
import { webhookPlatformNames } from '../platforms/platform.ts';
import type { PointChange } from '../points/change.ts';
import { pointsTransaction, writePoints } from '../points/ledger.ts';
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

/**
 * The bot with a new API pair and new secrets for its four channels; a new bot when `botId` is null or not there any more.
 * `line`: the LINE channel is one that exists elsewhere, with these credentials. Safe to repeat: what came before is valid no longer, but for channel secrets in their rotation.
 */
export async function openDemoBot(
  context: Context,
  botId: string | null,
  line: LineCredentials | null = null,
): Promise<{ credentials: Credentials; channels: ChannelKeys }> {
  const secret = () => Buffer.from(context.random(16)).toString('hex');
  return context.withDatabase(async (sql) => {
    const making = { now: context.clock(), random: context.random, keys: await context.keys(sql) };
    const credentials =
      botId !== null && (await isThere(sql, botId))
        ? { botId, ...(await renewPair(sql, botId, making)) }
        : await createBot(sql, { name: botName, timeZone }, making);
    const channels: ChannelKeys = {
      line: line
        ? { accountId: line.destination, secret: line.channelSecret }
        : { accountId: accountIds.line, secret: secret() },
      facebook: { accountId: accountIds.facebook, secret: secret() },
      instagram: { accountId: accountIds.instagram, secret: secret() },
      whatsapp: { accountId: accountIds.whatsapp, secret: secret() },
    };
    for (const platform of webhookPlatformNames) {
      const verifyToken = platform === 'line' ? {} : { verifyToken: secret() };
      const accessToken = platform === 'line' && line ? { accessToken: line.accessToken } : {};
      const settings = {
        botId: credentials.botId,
        platform,
        ...channels[platform],
        ...verifyToken,
        ...accessToken,
      };
      await setChannel(sql, settings, making);
    }
    return { credentials, channels };
  });
}

/** Gives the bot a live chat for the page of that origin, with a new widget key. */
export async function openDemoChat(
  context: Context,
  botId: string,
  origin: string,
): Promise<{ widgetKey: string }> {
  const making = { now: context.clock(), random: context.random };
  const widgetKey = newWidgetKey(context.random);
  const platform = 'liveChat' as const;
  const settings = { botId, platform, secret: widgetKey, allowedOrigins: [origin] };
  await context.withDatabase(async (sql) =>
    setChannel(sql, settings, { ...making, keys: await context.keys(sql) }),
  );
  return { widgetKey };
}

/** A token that may do everything with the bot by the management API, in place of the one of an earlier run. */
export async function demoAdminToken(context: Context, botId: string): Promise<string> {
  const name = `demo ${botId}`;
  const now = context.clock();
  return context.withDatabase(async (sql) => {
    for (const { tokenId, name: given } of await listAdminTokens(sql))
      if (given === name) await revokeAdminToken(sql, { tokenId, now });
    const made = await createAdminToken(
      sql,
      { name, scope: 'admin', botIds: [botId] },
      { now, random: context.random },
    );
    return made.token;
  });
}

/** Gives the bot the world's tags and points, and LINE's reports unless they are collected. Safe to repeat. */
export async function importOwned(
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
      await importSnapshots(sql, { botId, entries: lineAnswersOf(world.line) }, { now });
  });
}

type Owned = { botId: string; world: World; now: number };

async function importTags(
  tx: Transaction,
  { random }: CommandContext,
  { botId, world, now }: Owned,
): Promise<void> {
  const contactIds = await contactsOf(tx, botId, world.tags, { now, random });
  const tags = world.tags.map(({ tag }, index) => ({ contactId: contactIds[index] ?? '', tag }));
  await addTags(tx, { botId, tags }, { now, random });
}

/** Books the points at their times. Safe to repeat. */
export async function bookPoints(
  sql: Sql,
  { random }: Pick<CommandContext, 'random'>,
  { botId, points }: { botId: string; points: readonly PointsChange[] },
): Promise<void> {
  for (const [at, booked] of Map.groupBy(points, (change) => change.at)) {
    await pointsTransaction(sql, async (tx) => {
      const contactIds = await contactsOf(tx, botId, booked, { now: at, random });
      const changes = booked.map(({ key, kind, amount, expiresAt }, index): PointChange => {
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

/** One in so many has no name, as where a platform does not say it. */
const namelessOneIn = 9;
const customerOneIn = 4;

/** Names most of the bot's contacts that have no name yet, and binds some to a customer. Safe to repeat. */
export async function nameContacts(context: CommandContext, botId: string): Promise<void> {
  const now = context.clock();
  await context.withDatabase((sql) =>
    sql.begin(async (tx) => {
      await lockBot(tx, botId);
      const nameless = await tx<{ contactId: string; key: string }[]>`
        select contact_id as "contactId", platform || ' ' || platform_contact_id as key
        from contacts left join contact_profiles using (bot_id, contact_id)
        where bot_id = ${botId} and merged_into is null and forgotten_at is null and name is null`;
      const profiles = nameless.flatMap(({ contactId, key }): ProfileChange[] => {
        if (variety(`nameless ${key}`, namelessOneIn) === 0) return [];
        const name = nameOf(key);
        const isCustomer = variety(`customer ${key}`, customerOneIn) === 0;
        const customer = isCustomer ? { customer_id: `C-${variety(`number ${key}`, 1e9)}` } : {};
        return [{ contactId, name, user_name: name, ...customer }];
      });
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

async function isThere(sql: Sql, botId: string): Promise<boolean> {
  try {
    await findBot(sql, botId);
    return true;
  } catch (error) {
    if (error instanceof Refusal && error.code === 'BOT_NOT_FOUND') return false;
    throw error;
  }
}
