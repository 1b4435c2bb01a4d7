/**
 * Records of the business about a contact: blocks, and failed sends. Each is an event like those of the platforms, so order and
 * repetition do not matter, a recount includes it, and a later message lifts a block (figures.md, section 4).
 *
 * The event's key is a hash of the caller's key, so that it holds no personal data.
 */
import { createHash } from 'node:crypto';
import { lockBot } from '../bots/bots.ts';
import { findContact, type KnownContact } from '../contacts/contacts.ts';
import type { Queryable, Sql } from '../database/client.ts';
import { rowTable } from '../database/row-table.ts';
import { Refusal } from '../errors.ts';
import { sendSignals } from '../live-chat/signals.ts';
import type { EventKind } from '../platforms/event.ts';
import { blockedCode } from '../platforms/messenger.ts';
import { platformNames } from '../platforms/platform.ts';
import type { Random } from '../random.ts';
import { emptyBundle } from './batch.ts';
import { findWhole, foldFound } from './process-batch.ts';

/** `at` in ms; null: now. The key makes it idempotent. */
type BusinessRecord = { botId: string; contactId: string; key: string; at: number | null };
type Options = { now: number; random: Random };

const firstTime = Date.UTC(2000, 0, 1);

/**
 * Records that a contact is blocked, or no longer blocked; the latest record decides. `repeated`: the key was used for the same record
 * before, and nothing changed. Throws Refusal BOT_NOT_FOUND, CONTACT_NOT_FOUND, BLOCK_NOT_RECORDABLE, INPUT_INVALID, KEY_REUSED.
 */
export async function recordBlock(
  sql: Sql,
  record: BusinessRecord & { blocked: boolean },
  options: Options,
): Promise<{ repeated: boolean }> {
  return write(sql, record, options, ({ platform }) => {
    if (platform !== 'facebook' && platform !== 'liveChat') throw notRecordable(platform);
    return { kind: record.blocked ? 'block' : 'unblock', detail: null };
  });
}

/**
 * Records that a send to a contact failed with a code of its platform. On Facebook, code 551 blocks the contact (`counted`); other
 * codes only appear in its timeline. Repeats and throws as `recordBlock`, except BLOCK_NOT_RECORDABLE.
 */
export async function recordSendFailure(
  sql: Sql,
  record: BusinessRecord & { code: number },
  options: Options,
): Promise<{ repeated: boolean; counted: boolean }> {
  let counted = false;
  const { repeated } = await write(sql, record, options, ({ platform }) => {
    counted = platform === 'facebook' && record.code === blockedCode;
    return { kind: counted ? 'block' : 'other', detail: `send failed: ${record.code}` };
  });
  return { repeated, counted };
}

type Recorded = { kind: EventKind; detail: string | null };

async function write(
  sql: Sql,
  { botId, contactId, key, at }: BusinessRecord,
  { now, random }: Options,
  recordFor: (contact: KnownContact) => Recorded,
): Promise<{ repeated: boolean }> {
  if (at !== null && (at < firstTime || at > now)) {
    throw new Refusal('INPUT_INVALID', 'happenedAt in the body must lie between the year 2000 and now');
  }
  const eventKey = `business:${createHash('sha256').update(key).digest('hex')}`;
  return sql.begin(async (tx) => {
    const settings = await lockBot(tx, botId);
    const contact = await findContact(tx, botId, contactId);
    const record = recordFor(contact);
    const former = await findRecord(tx, botId, eventKey);
    if (former) {
      const isSame =
        former.contactId === contact.contactId &&
        former.kind === record.kind &&
        former.detail === record.detail &&
        (at === null || former.happenedAt.getTime() === at);
      if (isSame) return { repeated: true };
      throw new Refusal('KEY_REUSED', `The key ${JSON.stringify(key)} was used for another record.`);
    }
    const { platform, platformContactId } = contact;
    const event = {
      ...{ botId, platform, key: eventKey, ...record, contact: platformContactId, contactAlias: null },
      ...{ happenedAt: at ?? now, receivedAt: now, deliveryId: null },
    };
    const bundle = { ...emptyBundle(0), incoming: [event] };
    const bots = [{ botId, settings, bundles: [bundle] }];
    await foldFound(tx, bots, await findWhole(tx, bots, { now, random }), { now, random });
    if (platform === 'liveChat') {
      await sendSignals(tx, [{ botId, visitorId: platformContactId, type: 'chat' }]);
    }
    return { repeated: false };
  });
}

async function findRecord(
  sql: Queryable,
  botId: string,
  key: string,
): Promise<(Recorded & { contactId: string | null; happenedAt: Date }) | undefined> {
  const [row] = await sql<(Recorded & { contactId: string | null; happenedAt: Date })[]>`
    select event.kind, event.detail, event.contact_id as "contactId", event.happened_at as "happenedAt"
    from ${rowTable(sql, 'on_platform', platformNames, { platform: ['text', (platform) => platform] })}
    cross join lateral (
      select * from events where bot_id = ${botId} and events.platform = on_platform.platform and key = ${key} limit 1
    ) event`;
  return row;
}

function notRecordable(platform: string): Refusal {
  const why = platform === 'line' ? 'LINE reports blocks itself' : `${platform} has no figure of blocks`;
  return new Refusal(
    'BLOCK_NOT_RECORDABLE',
    `Blocks are recorded for facebook and liveChat contacts: ${why}.`,
  );
}
