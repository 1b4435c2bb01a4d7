/**
 * A batch: the oldest pending deliveries of a bot, read and parsed before the fold begins.
 *
 *     readPending → parse each body → the events of each bundle, and what could not be read
 *
 * Nothing is locked here, so the next batch is made while PostgreSQL writes the one before. What the reading took for granted
 * (which bundles are pending, the bot's settings) is checked by the fold's claim.
 */
import type { Queryable } from '../database/database.ts';
import type { IncomingEvent } from '../events/store.ts';
import { type Delivery, readPending } from '../inbox/inbox.ts';
import { platforms } from '../platforms/index.ts';
import type { WebhookPlatformName } from '../platforms/platform.ts';
import { dayMs } from '../time.ts';

/** The settings of the bot that decide what its events count as. */
export type BotSettings = { timeZone: string; conversationGapSeconds: number };

export type Refused = { deliveryId: number; reason: string };

/** What stands in a bundle of pending deliveries. */
export type ParsedBundle = {
  bundleId: number;
  deliveryIds: number[];
  /** receivedAt (ms) of its oldest delivery; null when it holds none. */
  oldestReceivedAt: number | null;
  incoming: IncomingEvent[];
  /** LINE's answers, as they came. */
  answers: Delivery[];
  refused: Refused[];
};

export type Batch = {
  botId: string;
  settings: BotSettings;
  bundles: ParsedBundle[];
  /** True when more is waiting than went into the batch. */
  more: boolean;
};

const bytesMax = 8 * 1024 * 1024;
const futureMsMax = dayMs;

/** Reads and parses up to `countMax` pending deliveries; of bundles in `except` none. Null: there is no such bot. */
export async function readBatch(
  sql: Queryable,
  botId: string,
  { countMax, except = [] }: { countMax: number; except?: readonly number[] },
): Promise<Batch | null> {
  const [{ bundles, more }, [bot], channels] = await Promise.all([
    readPending(sql, botId, { countMax, bytesMax, except }),
    sql<BotSettings[]>`
      select time_zone as "timeZone", conversation_gap_seconds as "conversationGapSeconds"
      from bots where bot_id = ${botId}`,
    sql<{ platform: WebhookPlatformName; account_id: string | null }[]>`
      select platform, account_id from channels where bot_id = ${botId}`,
  ]);
  if (!bot) return null;
  const accounts = new Map(channels.map((row) => [row.platform, row.account_id]));
  return {
    botId,
    settings: bot,
    bundles: bundles.map(({ bundleId, deliveries }) => parseBundle(bundleId, deliveries, accounts)),
    more,
  };
}

/** Reads the bodies; a delivery with a part that cannot be read is set aside, its other events still count. */
function parseBundle(
  bundleId: number,
  deliveries: readonly Delivery[],
  accounts: ReadonlyMap<WebhookPlatformName, string | null>,
): ParsedBundle {
  const bundle: ParsedBundle = {
    bundleId,
    deliveryIds: deliveries.map(({ deliveryId }) => deliveryId),
    oldestReceivedAt: deliveries[0]?.receivedAt ?? null,
    incoming: [],
    answers: [],
    refused: [],
  };
  for (const delivery of deliveries) {
    if (delivery.source === 'line-answer') bundle.answers.push(delivery);
    else parseWebhook(delivery, accounts.get(delivery.platform) ?? null, bundle);
  }
  return bundle;
}

function parseWebhook(
  { deliveryId, platform, body, receivedAt }: Delivery,
  accountId: string | null,
  { incoming, refused }: ParsedBundle,
): void {
  const { events, problems: reasons } = platforms[platform].parse(body, accountId);
  for (const event of events) {
    if (event.happenedAt > receivedAt + futureMsMax) {
      const at = new Date(event.happenedAt).toISOString();
      reasons.push(`an event lies more than 24 hours in the future: ${at}`);
    } else {
      incoming.push({ ...event, platform, receivedAt, deliveryId });
    }
  }
  if (reasons.length > 0) refused.push({ deliveryId, reason: summary(reasons) });
}

const reasonsShownMax = 5;

function summary(reasons: readonly string[]): string {
  const shown = reasons.slice(0, reasonsShownMax).join('; ');
  const more = reasons.length - reasonsShownMax;
  return more > 0 ? `${shown}; and ${more} more` : shown;
}
