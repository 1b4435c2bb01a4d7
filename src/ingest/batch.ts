/**
 * A batch: the oldest pending deliveries of a bot, read and parsed before the fold begins.
 *
 *     readPending → parse each body → the events of each bundle, and the unreadable parts → chunks
 *
 * Nothing is locked here, so the process prepares the next batch while PostgreSQL writes the current one. The fold's claim checks what
 * was assumed here: which bundles are pending, and the bot's settings.
 */
import type { Sql } from '../database/client.ts';
import type { IncomingEvent } from '../events/store.ts';
import { type Delivery, readPending } from '../inbox/inbox.ts';
import { type ReplyToken, readReplyTokens } from '../line/reply-tokens.ts';
import { ByPlatform } from '../platforms/by-platform.ts';
import { isMessage } from '../platforms/event.ts';
import { readers } from '../platforms/index.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { dayMs } from '../time.ts';
import type { PersonOfBatch } from './people.ts';

/** The settings of the bot that decide what its events count as. */
export type BotSettings = { timeZone: string; conversationGapSeconds: number };

/** A delivery that is set aside, and why. */
export type Refused = { deliveryId: number; reason: string };

/** The contents of a bundle of pending deliveries. Times in ms. */
export type ParsedBundle = {
  bundleId: number;
  deliveryIds: number[];
  /** Of its oldest delivery; null when it has none. */
  oldestReceivedAt: number | null;
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

export type Batch = {
  botId: string;
  settings: BotSettings;
  bundles: readonly ParsedBundle[];
  chunks: readonly Chunk[];
  /** True when more deliveries are pending than the batch holds. */
  more: boolean;
};

/** Events of a batch that share no person with another chunk, and the people they name. */
export type Chunk = { incoming: readonly IncomingEvent[]; people: readonly PersonOfBatch[] };

const bytesMax = 8 * 1024 * 1024;
const futureMsMax = dayMs;
const usualChunkSize = 1_000;

/**
 * Reads and parses up to `countMax` pending deliveries, without the bundles in `except`. A chunk has about `chunkSize` events. Null:
 * the bot does not exist.
 */
export async function readBatch(
  sql: Sql,
  botId: string,
  { countMax, except = [], chunkSize }: { countMax: number; except?: readonly number[]; chunkSize?: number },
): Promise<Batch | null> {
  const [{ bundles: pending, more }, [settings], channels] = await Promise.all([
    readPending(sql, botId, { countMax, bytesMax, except }),
    sql<BotSettings[]>`
      select time_zone as "timeZone", conversation_gap_seconds as "conversationGapSeconds"
      from bots where bot_id = ${botId}`,
    sql<Channel[]>`
      select platform, account_id as "accountId", access_token_sealed is not null as "hasToken"
      from channels where bot_id = ${botId}`,
  ]);
  if (!settings) return null;
  const byPlatform = new Map(channels.map((channel) => [channel.platform, channel]));
  const bundles = pending.map(({ bundleId, deliveries }) => parseBundle(bundleId, deliveries, byPlatform));
  return { botId, settings, bundles, chunks: toChunks(bundles, chunkSize), more };
}

type Channel = { platform: PlatformName; accountId: string | null; hasToken: boolean };
type Channels = ReadonlyMap<PlatformName, Channel>;

/** Parses the bodies. A delivery with an unreadable part is set aside; its other events still count. */
function parseBundle(bundleId: number, deliveries: readonly Delivery[], channels: Channels): ParsedBundle {
  const bundle: ParsedBundle = {
    ...emptyBundle(bundleId),
    deliveryIds: deliveries.map(({ deliveryId }) => deliveryId),
    oldestReceivedAt: deliveries[0]?.receivedAt ?? null,
  };
  for (const delivery of deliveries) {
    if (delivery.source === 'line-answer') bundle.answers.push(delivery);
    else if (delivery.source === 'line-send') bundle.records.push(delivery);
    else parseWebhook(delivery, bundle, channels);
  }
  return bundle;
}

/** A bundle without deliveries. */
export function emptyBundle(bundleId: number): ParsedBundle {
  return {
    ...{ bundleId, deliveryIds: [], oldestReceivedAt: null, webhooks: new Map(), incoming: [] },
    ...{ answers: [], records: [], tokens: [], refused: [] },
  };
}

function parseWebhook(
  { deliveryId, platform, body, receivedAt }: Delivery,
  { webhooks, incoming, tokens, refused }: ParsedBundle,
  channels: Channels,
): void {
  webhooks.set(platform, Math.max(receivedAt, webhooks.get(platform) ?? receivedAt));
  const { accountId = null, hasToken = false } = channels.get(platform) ?? {};
  const { events, problems } = readers[platform].parse(body, accountId);
  for (const event of events) {
    if (event.happenedAt > receivedAt + futureMsMax) {
      const at = new Date(event.happenedAt).toISOString();
      problems.push(`an event lies more than 24 hours in the future: ${at}`);
    } else {
      incoming.push({ ...event, platform, receivedAt, deliveryId });
    }
  }
  // Without an access token, no reply goes through the gateway.
  if (platform === 'line' && hasToken) tokens.push(...readReplyTokens(body, accountId));
  if (problems.length > 0) refused.push({ deliveryId, reason: summaryOf(problems) });
}

const problemsShownMax = 5;

function summaryOf(problems: readonly string[]): string {
  const shown = problems.slice(0, problemsShownMax).join('; ');
  const more = problems.length - problemsShownMax;
  return more > 0 ? `${shown}; and ${more} more` : shown;
}

/**
 * The events of the bundles in chunks of about `size`. One chunk where sends can add further events, or where two reports of one
 * event name different people.
 */
export function toChunks(bundles: readonly ParsedBundle[], size = usualChunkSize): Chunk[] {
  const incoming = bundles.flatMap((bundle) => bundle.incoming);
  const count = Math.ceil(incoming.length / size);
  if (count < 2 || bundles.some(({ records }) => records.length > 0)) {
    return [toChunk(incoming)];
  }
  const chunks = Array.from({ length: count }, (): IncomingEvent[] => []);
  const chunkOfPerson = new ByPlatform<IncomingEvent[]>();
  const chunkOfKey = new ByPlatform<IncomingEvent[]>();
  let people = 0;
  for (const event of incoming) {
    // A later WhatsApp event may show that two ids name one person.
    const person = event.platform === 'whatsapp' ? '' : (event.contact ?? '');
    let chunk = chunkOfPerson.get(event.platform, person);
    if (chunk === undefined) {
      chunk = chunks[people++ % count] as IncomingEvent[];
      chunkOfPerson.set(event.platform, person, chunk);
    }
    if ((chunkOfKey.get(event.platform, event.key) ?? chunk) !== chunk) return [toChunk(incoming)];
    chunkOfKey.set(event.platform, event.key, chunk);
    chunk.push(event);
  }
  return chunks.map(toChunk);
}

/** All of the events as one chunk. */
export function toChunk(incoming: readonly IncomingEvent[]): Chunk {
  const people = new ByPlatform<PersonOfBatch>();
  const personOf = (platform: PlatformName, platformContactId: string): PersonOfBatch => {
    const person = people.get(platform, platformContactId);
    if (person) return person;
    const added = { platform, platformContactId, span: null };
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
  return { incoming, people: people.values() };
}
