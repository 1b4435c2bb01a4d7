/**
 * Removes a person from stored events: the events move to an anonymous contact, and ids of the person in their keys are replaced by
 * hashes (`anonymousKey`), by which a redelivery still finds its event.
 */
import type { Fragment, Transaction } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { rowTable } from '../database/row-table.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { anonymousKey } from './store.ts';

/**
 * Moves one contact's events to an anonymous contact and removes the person's ids from their keys, and from the keys of events
 * without a contact. The caller holds the bot's lock. Idempotent.
 *
 * Keys of live chat hold the visitor. WhatsApp's message ids hold the telephone number in base64. Keys of Messenger and Instagram
 * hold the sender where the item has no id. LINE's ids hold nothing of a person and stay: of two events of the same time, the larger
 * key decides about a block.
 */
export async function anonymizeEvents(
  tx: Transaction,
  {
    botId,
    platform,
    fromContactId,
    toContactId,
    ids,
  }: { botId: string; platform: PlatformName; fromContactId: string; toContactId: string; ids: string[] },
): Promise<void> {
  const hasSender = tx`substring(events.key from ${senderInKey}) = any (${textList(ids)}::text[])`;
  const holdsPerson = tx`(platform in ('whatsapp', 'liveChat') or ${hasSender})`;
  await replaceKeys(tx, botId, tx`contact_id = ${fromContactId} and ${holdsPerson}`);
  await tx`
    update events set contact_id = ${toContactId}, named_as = null
    where bot_id = ${botId} and contact_id = ${fromContactId}`;
  if (platform === 'line' || platform === 'liveChat') return;
  const hasPerson =
    platform === 'whatsapp'
      ? tx`events.key = any (${textList(await keysWithNumber(tx, botId, ids))}::text[])`
      : hasSender;
  await replaceKeys(
    tx,
    botId,
    tx`platform = ${platform} and platform <> 'line' and contact_id is null and ${hasPerson}`,
  );
}

/** Replaces the keys of some events of the bot by their hashes. The hash is a value of the statement, because Citus computes none in an update. */
async function replaceKeys(tx: Transaction, botId: string, where: Fragment): Promise<void> {
  const events = await tx<{ platform: string; key: string; anonymous: string }[]>`
    select platform, key, ${anonymousKey(tx, 'events.key')} as anonymous from events
    where bot_id = ${botId} and ${where}`;
  if (events.length === 0) return;
  await tx`
    update events set key = new.anonymous
    from ${rowTable(tx, 'new', events, {
      platform: ['text', ({ platform }) => platform],
      key: ['text', ({ key }) => key],
      anonymous: ['text', ({ anonymous }) => anonymous],
    })}
    where events.bot_id = ${botId} and events.platform = new.platform and events.key = new.key`;
}

/** The sender in a key such as `read:<sender>:<time>:<hash>` (platforms/messaging.ts). */
const senderInKey = '^(?:other account:[^:]*:)?[a-z_]+:(.*):(?:-|[0-9]+):[A-Za-z0-9_-]{22}$';

/** The keys of WhatsApp's events without a contact whose message id has one of the telephone numbers in its base64. */
async function keysWithNumber(tx: Transaction, botId: string, ids: readonly string[]): Promise<string[]> {
  const numbers = ids.filter((id) => /^\d+$/.test(id));
  const rows = await tx<{ key: string }[]>`
    select key from events
    where bot_id = ${botId} and platform = 'whatsapp' and platform <> 'line' and contact_id is null
      and exists (
        select from ${rowTable(tx, 'part', numbers.flatMap(base64Parts), { text: ['text', (text) => text] })}
        where strpos(events.key, part.text) > 0)`;
  return rows.map(({ key }) => key).filter((key) => numbers.some((number) => hasNumber(key, number)));
}

function hasNumber(key: string, number: string): boolean {
  const bytes = Buffer.from(/wamid\.([^:]*)/.exec(key)?.[1] ?? '', 'base64').toString('latin1');
  return new RegExp(`(?<!\\d)${number}(?!\\d)`).test(bytes);
}

/**
 * The text as it appears within longer base64: base64 encodes groups of three bytes, so a text has three encodings. Characters that
 * also depend on the neighbouring bytes are left out.
 */
function base64Parts(text: string): string[] {
  return [0, 1, 2].map((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]);
    return bytes.toString('base64').slice(Math.ceil((8 * before) / 6), Math.floor((8 * bytes.length) / 6));
  });
}
