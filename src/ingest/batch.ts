/**
 * A batch: the oldest pending deliveries of one or many bots, read and parsed before the fold begins.
 *
 *     readPending → parse each body → the events of each bundle, and the unreadable parts → chunks
 *
 * Nothing is locked here, so the process prepares the next batch while PostgreSQL writes the current one. The fold's claim checks what
 * was assumed here: which bundles are pending, and the settings of the bots.
 */
import { hasAccess } from '../bots/channels.ts';
import type { Sql } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import type { IncomingEvent } from '../events/store.ts';
import type { Bundle, Delivery } from '../inbox/inbox.ts';
import { readPending } from '../inbox/read-pending.ts';
import { type ReplyToken, readReplyTokens } from '../line/reply-tokens.ts';
import { ByPlatform } from '../platforms/by-platform.ts';
import { isMessage } from '../platforms/event.ts';
import { readers } from '../platforms/index.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { dayMs } from '../time.ts';
import type { PersonOfBatch } from './people.ts';
import { splitEvents } from './split-events.ts';

/** The settings of a bot that decide what its events count as. */
export type BotSettings = { timeZone: string; conversationGapSeconds: number };

/** A delivery that is set aside, and why. */
export type Refused = { botId: string; deliveryId: number; reason: string };

/** The contents of a bundle of pending deliveries. Times in ms. */
export type ParsedBundle = {
  bundleId: number;
  deliveryIds: number[];
  /** When the latest webhook of each platform was received. */
  webhooks: Map<PlatformName, number>;
  incoming: IncomingEvent[];
  /** LINE's answers to the collector, unparsed. */
  answers: Delivery[];
  /** The gateway's records of sends and clicks, unparsed. */
  records: Delivery[];
  /** Of webhook events that a reply through the gateway may answer. */
  tokens: ReplyToken[];
  refused: Refused[];
};

/** A bot, as its settings were when the batch was read. */
export type BatchBot = { botId: string; settings: BotSettings };
/** The part of a batch that belongs to one bot. */
export type BotBatch = BatchBot & { bundles: readonly ParsedBundle[] };

export type Batch = {
  bots: readonly BotBatch[];
  chunks: readonly Chunk[];
  /** The bots with more pending deliveries than the batch holds. */
  more: readonly string[];
};

/** Events of a bot that share no person with its other events in the batch, and the people they name. */
export type BotEvents = {
  bot: BatchBot;
  incoming: readonly IncomingEvent[];
  people: readonly PersonOfBatch[];
};
/** A part of a batch that is looked up, folded and written at once: events of many bots, or some of the events of one. */
export type Chunk = readonly BotEvents[];

const bytesMax = 8 * 1024 * 1024;
const futureMsMax = dayMs;
const usualChunkSize = 1_000;
const problemsShownMax = 5;

/**
 * Reads and parses up to `countMax` pending deliveries of the bots in turn, without the bundles in `except`. A chunk has about
 * `chunkSize` events. Bots that do not exist are left out.
 */
export async function readBatch(
  sql: Sql,
  botIds: readonly string[],
  { countMax, except = [], chunkSize }: { countMax: number; except?: readonly number[]; chunkSize?: number },
): Promise<Batch> {
  const [pending, settings, channels] = await Promise.all([
    readPending(sql, botIds, { countMax, bytesMax, except }),
    sql<(BotSettings & { botId: string })[]>`
      select bot_id as "botId", time_zone as "timeZone", conversation_gap_seconds as "conversationGapSeconds"
      from bots where bot_id = any (${textList(botIds)}::text[])`,
    sql<Channel[]>`
      select bot_id as "botId", platform, account_id as "accountId", ${hasAccess(sql)} as "hasToken"
      from channels where bot_id = any (${textList(botIds)}::text[])`,
  ]);
  const channelsByBot = Map.groupBy(channels, ({ botId }) => botId);
  const bots = settings.flatMap(({ botId, ...ofBot }): BotBatch[] => {
    const bundles = pending.bundles.get(botId);
    if (bundles === undefined) return [];
    const ofBundles = { botId, channels: byPlatform(channelsByBot.get(botId) ?? []) };
    return [{ botId, settings: ofBot, bundles: bundles.map((bundle) => parseBundle(bundle, ofBundles)) }];
  });
  return { bots, chunks: toChunks(bots, chunkSize), more: pending.more };
}

function byPlatform(channels: readonly Channel[]): Channels {
  return new Map(channels.map((channel) => [channel.platform, channel]));
}

type Channel = { botId: string; platform: PlatformName; accountId: string | null; hasToken: boolean };
type Channels = ReadonlyMap<PlatformName, Channel>;

/** Parses the bodies. A delivery with an unreadable part is set aside; its other events still count. */
function parseBundle(
  { bundleId, deliveries }: Bundle,
  of: { botId: string; channels: Channels },
): ParsedBundle {
  const bundle: ParsedBundle = {
    ...emptyBundle(bundleId),
    deliveryIds: deliveries.map(({ deliveryId }) => deliveryId),
  };
  for (const delivery of deliveries) {
    if (delivery.source === 'line-answer') bundle.answers.push(delivery);
    else if (delivery.source === 'line-send') bundle.records.push(delivery);
    else parseWebhook(delivery, bundle, of);
  }
  return bundle;
}

/** A bundle without deliveries. */
export function emptyBundle(bundleId: number): ParsedBundle {
  return {
    ...{ bundleId, deliveryIds: [], webhooks: new Map(), incoming: [] },
    ...{ answers: [], records: [], tokens: [], refused: [] },
  };
}

function parseWebhook(
  { deliveryId, platform, body, receivedAt }: Delivery,
  { webhooks, incoming, tokens, refused }: ParsedBundle,
  { botId, channels }: { botId: string; channels: Channels },
): void {
  webhooks.set(platform, Math.max(receivedAt, webhooks.get(platform) ?? receivedAt));
  const { accountId = null, hasToken = false } = channels.get(platform) ?? {};
  const { events, problems } = readers[platform].parse(body, accountId);
  for (const event of events) {
    if (event.happenedAt > receivedAt + futureMsMax) {
      const at = new Date(event.happenedAt).toISOString();
      problems.push(`an event lies more than 24 hours in the future: ${at}`);
    } else {
      incoming.push({ ...event, botId, platform, receivedAt, deliveryId });
    }
  }
  // Without an access token, no reply goes through the gateway.
  if (platform === 'line' && hasToken) tokens.push(...readReplyTokens(body, accountId));
  if (problems.length > 0) refused.push({ botId, deliveryId, reason: summaryOf(problems) });
}

function summaryOf(problems: readonly string[]): string {
  const [shown, more] = [problems.slice(0, problemsShownMax), problems.slice(problemsShownMax)];
  return [...shown, ...(more.length > 0 ? [`and ${more.length} more`] : [])].join('; ');
}

/** The events of the bots in chunks of about `size`. A bot with more events is split; a chunk has no bot twice. */
export function toChunks(bots: readonly BotBatch[], size = usualChunkSize): Chunk[] {
  const chunks: BotEvents[][] = [];
  let shared: BotEvents[] = [];
  let room = 0;
  for (const bot of bots) {
    const [part, ...others] = splitBot(bot, size) as [BotEvents, ...BotEvents[]];
    if (others.length > 0) chunks.push([part], ...others.map((other) => [other]));
    else {
      if (room <= 0) {
        shared = [];
        chunks.push(shared);
        room = size;
      }
      shared.push(part);
      room -= part.incoming.length;
    }
  }
  return chunks;
}

/** The events of a bot in parts of about `size`; in one part where sends can add further events. */
function splitBot(bot: BotBatch, size: number): BotEvents[] {
  const incoming = bot.bundles.flatMap((bundle) => bundle.incoming);
  const count = Math.ceil(incoming.length / size);
  const isSmall = count < 2 || bot.bundles.some(({ records }) => records.length > 0);
  const parts = isSmall ? [incoming] : splitEvents(incoming, count);
  return parts.map((part) => botEvents(bot, part));
}

/** Events of a bot, with the people they name. */
export function botEvents(bot: BatchBot, incoming: readonly IncomingEvent[]): BotEvents {
  const { botId } = bot;
  const people = new ByPlatform<PersonOfBatch>();
  const personOf = (platform: PlatformName, platformContactId: string): PersonOfBatch => {
    const person = people.get(platform, platformContactId);
    if (person) return person;
    const added = { botId, platform, platformContactId, span: null };
    people.set(platform, platformContactId, added);
    return added;
  };
  for (const { platform, contact, contactAlias, kind, happenedAt } of incoming) {
    if (contactAlias !== null) personOf(platform, contactAlias);
    if (contact === null) continue;
    const person = personOf(platform, contact);
    if (!isMessage(kind)) continue;
    person.span ??= { from: happenedAt, to: happenedAt };
    person.span.from = Math.min(person.span.from, happenedAt);
    person.span.to = Math.max(person.span.to, happenedAt);
  }
  return { bot, incoming, people: people.values() };
}
