/**
 * A batch: the oldest pending deliveries of a bot, read and parsed before the fold begins.
 *
 *     readPending → parse each body → the events of each bundle, and what could not be read → parts
 *
 * Nothing is locked here, so the next batch is made while PostgreSQL writes the one before. What the reading took for granted
 * (which bundles are pending, the bot's settings) is checked by the fold's claim.
 */
import type { Sql } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import type { IncomingEvent } from '../events/store.ts';
import { type Delivery, type DeliverySource, readPending } from '../inbox/inbox.ts';
import { hashReplyToken, type ReplyToken } from '../line/reply-tokens.ts';
import { type ClickRecord, readRecord, type SendRecord } from '../line/send-records.ts';
import { readers } from '../platforms/index.ts';
import { readReplyTokens } from '../platforms/line.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { dayMs } from '../time.ts';
import { type AskedPart, toParts } from './split-batch.ts';

/** The settings of the bot that decide what its events count as. */
export type BotSettings = { timeZone: string; conversationGapSeconds: number };

export type Refused = { deliveryId: number; reason: string };

/** What stands in a bundle of pending deliveries. */
export type ParsedBundle = {
  bundleId: number;
  deliveryIds: number[];
  /** receivedAt (ms) of its oldest delivery; null when it holds none. */
  oldestReceivedAt: number | null;
  /** receivedAt (ms) of each platform's latest webhook. */
  webhooks: Map<PlatformName, number>;
  incoming: IncomingEvent[];
  /** LINE's answers, as they came. */
  answers: Delivery[];
  sends: SendRecord[];
  clicks: ClickRecord[];
  /** Of webhook events that a reply through the gateway may answer. */
  tokens: ReplyToken[];
  refused: Refused[];
};

export type Batch = {
  botId: string;
  settings: BotSettings;
  bundles: readonly ParsedBundle[];
  /** The events of the bundles. */
  parts: readonly AskedPart[];
  /** True when more is waiting than went into the batch. */
  more: boolean;
};

const bytesMax = 8 * 1024 * 1024;
const futureMsMax = dayMs;
const usualPartSize = 1_000;

/**
 * Reads and parses up to `countMax` pending deliveries; of bundles in `except` none. A part has about `partSize` events. Null:
 * there is no such bot.
 */
export async function readBatch(
  sql: Sql,
  botId: string,
  {
    countMax,
    except = [],
    partSize = usualPartSize,
  }: { countMax: number; except?: readonly number[]; partSize?: number },
): Promise<Batch | null> {
  const [{ bundles: pending, more }, [bot], channels] = await Promise.all([
    readPending(sql, botId, { countMax, bytesMax, except }),
    sql<BotSettings[]>`
      select time_zone as "timeZone", conversation_gap_seconds as "conversationGapSeconds"
      from bots where bot_id = ${botId}`,
    sql<Channel[]>`
      select platform, account_id as "accountId", access_token_sealed is not null as "hasToken"
      from channels where bot_id = ${botId}`,
  ]);
  if (!bot) return null;
  const byPlatform = new Map(channels.map((channel) => [channel.platform, channel]));
  const bundles = pending.map(({ bundleId, deliveries }) => parseBundle(bundleId, deliveries, byPlatform));
  return { botId, settings: bot, bundles, parts: toParts(bundles, partSize), more };
}

/** The first half of a batch's bundles. */
export function firstHalf({ bundles, ...batch }: Batch): Batch {
  const half = bundles.slice(0, Math.floor(bundles.length / 2));
  return { ...batch, bundles: half, parts: toParts(half, usualPartSize) };
}

type Channel = { platform: PlatformName; accountId: string | null; hasToken: boolean };

/** Reads the bodies; a delivery with a part that cannot be read is set aside, its other events still count. */
function parseBundle(
  bundleId: number,
  deliveries: readonly Delivery[],
  channels: ReadonlyMap<PlatformName, Channel>,
): ParsedBundle {
  const bundle: ParsedBundle = {
    ...emptyBundle(bundleId),
    deliveryIds: deliveries.map(({ deliveryId }) => deliveryId),
    oldestReceivedAt: deliveries[0]?.receivedAt ?? null,
  };
  for (const delivery of deliveries) parsers[delivery.source](delivery, channels, bundle);
  return bundle;
}

/** A bundle of no delivery. */
export function emptyBundle(bundleId: number): ParsedBundle {
  return {
    ...{ bundleId, deliveryIds: [], oldestReceivedAt: null, webhooks: new Map(), incoming: [] },
    ...{ answers: [], sends: [], clicks: [], tokens: [], refused: [] },
  };
}

const parsers = {
  webhook: parseWebhook,
  'live-chat': parseWebhook,
  'line-answer': (delivery, _channels, { answers }) => {
    answers.push(delivery);
  },
  'line-send': parseSend,
} satisfies Record<DeliverySource, Parser>;

type Parser = (
  delivery: Delivery,
  channels: ReadonlyMap<PlatformName, Channel>,
  bundle: ParsedBundle,
) => void;

function parseWebhook(
  { deliveryId, platform, body, receivedAt }: Delivery,
  channels: ReadonlyMap<PlatformName, Channel>,
  { webhooks, incoming, tokens, refused }: ParsedBundle,
): void {
  webhooks.set(platform, Math.max(receivedAt, webhooks.get(platform) ?? receivedAt));
  const { accountId = null, hasToken = false } = channels.get(platform) ?? {};
  const { events, problems: reasons } = readers[platform].parse(body, accountId);
  for (const event of events) {
    if (event.happenedAt > receivedAt + futureMsMax) {
      const at = new Date(event.happenedAt).toISOString();
      reasons.push(`an event lies more than 24 hours in the future: ${at}`);
    } else {
      incoming.push({ ...event, platform, receivedAt, deliveryId });
    }
  }
  // Without an access token nobody replies through the gateway.
  if (platform === 'line' && hasToken) tokens.push(...readTokens(body, accountId));
  if (reasons.length > 0) refused.push({ deliveryId, reason: summary(reasons) });
}

function readTokens(body: Uint8Array, accountId: string | null): ReplyToken[] {
  return readReplyTokens(body, accountId).map(({ replyToken, person }) => ({
    tokenHash: hashReplyToken(replyToken),
    person,
  }));
}

function parseSend(
  { deliveryId, body }: Delivery,
  _channels: ReadonlyMap<PlatformName, Channel>,
  { sends, clicks, refused }: ParsedBundle,
): void {
  try {
    const record = readRecord(body);
    if (record.kind === 'click') clicks.push(record);
    else sends.push(record);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    refused.push({ deliveryId, reason: error.message });
  }
}

const reasonsShownMax = 5;

function summary(reasons: readonly string[]): string {
  const shown = reasons.slice(0, reasonsShownMax).join('; ');
  const more = reasons.length - reasonsShownMax;
  return more > 0 ? `${shown}; and ${more} more` : shown;
}
