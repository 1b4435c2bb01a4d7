/**
 * Visitors of live chat. The first session of a browser creates a visitor. A customer verified by the business's server (identity.ts)
 * is one visitor on all devices.
 *
 *     verified, known customer     the customer's visitor, with any token
 *     verified, new customer       the visitor of the token becomes the customer's, unless it belongs to another customer
 *     not verified                 the visitor of the token; a new visitor if that one belongs to a customer
 *
 * The last rule protects shared computers: after signing out, the next person cannot read the customer's chat.
 */
import type { components } from '../../contracts/types/live-chat.ts';
import type { Fragment, Queryable, Sql, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { newId, type Random } from '../random.ts';
import { dayMs, hourMs } from '../time.ts';

export type Page = { url: string | null; title: string | null; referrer: string | null };
/** `answered`: whether the business has written to the visitor. */
export type Session = Pick<
  components['schemas']['Session'],
  'visitorId' | 'identified' | 'lastSequence' | 'unread'
> & { answered: boolean };

const idLetters = 20;
const unreadMax = 100;
const silentDays = 30;
const purgeBatch = 1_000;

type Row = {
  visitorId: string;
  identifier: string | null;
  answered: boolean;
  lastSequence: number;
  seenByVisitor: number;
};

/**
 * Begins or renews a session. `visitorId` comes from a valid token, `identifier` is verified; null: none. Safe to repeat, also at
 * once: an identifier always has the same visitor. Throws Refusal TOKEN_INVALID if the token's visitor was deleted.
 */
export async function beginSession(
  sql: Sql,
  botId: string,
  {
    visitorId,
    identifier,
    ...details
  }: {
    visitorId: string | null;
    identifier: string | null;
    name: string | null;
    language: string | null;
    page: Page | null;
  },
  { now, random }: { now: number; random: Random },
): Promise<Session> {
  const visitor = await sql.begin(async (tx) => {
    const row = await findOrAdd(tx, botId, { visitorId, identifier }, { now, random });
    await updateDetails(tx, botId, row.visitorId, { ...details, now });
    return row;
  });
  const { answered, lastSequence, seenByVisitor } = visitor;
  return {
    visitorId: visitor.visitorId,
    identified: visitor.identifier !== null,
    answered,
    lastSequence,
    unread: await countUnread(sql, botId, visitor.visitorId, seenByVisitor),
  };
}

/** Whether the visitor is a verified customer or was answered. Null: no such visitor. */
export async function isTrusted(sql: Queryable, botId: string, visitorId: string): Promise<boolean | null> {
  const [row] = await sql<{ trusted: boolean }[]>`
    select answered or identifier is not null as trusted from chat_visitors
    where bot_id = ${botId} and visitor_id = ${visitorId}`;
  return row?.trusted ?? null;
}

/** Deletes visitors without messages and without a session for 30 days. `more`: there may be others. Safe to repeat. */
export async function purgeSilentVisitors(
  sql: Queryable,
  botId: string,
  { now }: { now: number },
): Promise<{ more: boolean }> {
  const deleted = await sql`
    delete from chat_visitors where bot_id = ${botId} and visitor_id in (
      select visitor_id from chat_visitors
      where bot_id = ${botId} and ${isSilentVisitor(sql, { now })} limit ${purgeBatch})
      and last_message_at is null and identifier is null`;
  return { more: deleted.count === purgeBatch };
}

/** For queries over `chat_visitors`: true for visitors that `purgeSilentVisitors` deletes. */
export function isSilentVisitor(sql: Queryable, { now }: { now: number }): Fragment {
  return sql`last_message_at is null and identifier is null and session_at < ${new Date(now - silentDays * dayMs)}`;
}

async function findOrAdd(
  tx: Transaction,
  botId: string,
  { visitorId, identifier }: { visitorId: string | null; identifier: string | null },
  { now, random }: { now: number; random: Random },
): Promise<Row> {
  const current =
    visitorId === null ? null : await find(tx, botId, tx`visitor_id = ${visitorId} for no key update`);
  if (visitorId !== null && current === null) {
    throw new Refusal('TOKEN_INVALID', 'The visitor of the token no longer exists.');
  }
  if (identifier === null) {
    return current !== null && current.identifier === null ? current : add(tx, botId, null, { now, random });
  }
  const customer = await find(tx, botId, tx`identifier = ${identifier}`);
  if (customer) return customer;
  if (current?.identifier === null && (await bind(tx, botId, current.visitorId, identifier))) {
    return { ...current, identifier };
  }
  return add(tx, botId, identifier, { now, random });
}

async function find(tx: Transaction, botId: string, where: Fragment): Promise<Row | null> {
  const [row] = await tx<
    Row[]
  >`select ${columns(tx)} from chat_visitors where bot_id = ${botId} and ${where}`;
  return row ?? null;
}

/** False: a concurrent session gave the identifier to another visitor. */
async function bind(tx: Transaction, botId: string, visitorId: string, identifier: string): Promise<boolean> {
  return tx
    .savepoint(
      (sub) => sub`
        update chat_visitors set identifier = ${identifier}
        where bot_id = ${botId} and visitor_id = ${visitorId} and identifier is null`,
    )
    .then(
      () => true,
      (error: unknown) => {
        if (error instanceof Error && 'code' in error && error.code === uniqueViolation) return false;
        throw error;
      },
    );
}

const uniqueViolation = '23505';

async function add(
  tx: Transaction,
  botId: string,
  identifier: string | null,
  { now, random }: { now: number; random: Random },
): Promise<Row> {
  const visitorId = `v_${newId(random, idLetters)}`;
  // The update changes nothing; it returns the row of a concurrent session.
  const [row] = await tx<Row[]>`
    insert into chat_visitors (bot_id, visitor_id, identifier, created_at, session_at)
    values (${botId}, ${visitorId}, ${identifier}, ${new Date(now)}, ${new Date(now)})
    on conflict (bot_id, identifier) where identifier is not null do update set identifier = excluded.identifier
    returning ${columns(tx)}`;
  if (!row) throw new Error('a new visitor has no row');
  return row;
}

/** Stores changed details of the page; omitted ones stay. */
async function updateDetails(
  tx: Transaction,
  botId: string,
  visitorId: string,
  {
    name,
    language,
    page,
    now,
  }: { name: string | null; language: string | null; page: Page | null; now: number },
): Promise<void> {
  await tx`
    update chat_visitors set name = new.name, language = new.language, page_url = new.page_url,
      page_title = new.page_title, referrer = new.referrer, session_at = greatest(session_at, ${new Date(now)})
    from (
      select coalesce(${name?.normalize('NFC') ?? null}, name) as name, coalesce(${language}, language) as language,
        case when ${page !== null} then ${page?.url ?? null} else page_url end as page_url,
        case when ${page !== null} then ${page?.title ?? null} else page_title end as page_title,
        case when ${page !== null} then ${page?.referrer ?? null} else referrer end as referrer
      from chat_visitors where bot_id = ${botId} and visitor_id = ${visitorId}
    ) new
    where bot_id = ${botId} and visitor_id = ${visitorId}
      and ((chat_visitors.name, chat_visitors.language, chat_visitors.page_url, chat_visitors.page_title,
          chat_visitors.referrer)
        is distinct from (new.name, new.language, new.page_url, new.page_title, new.referrer)
        or session_at < ${new Date(now - hourMs)})`;
}

async function countUnread(sql: Queryable, botId: string, visitorId: string, seen: number): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::integer as count from (
      select from chat_messages
      where bot_id = ${botId} and visitor_id = ${visitorId} and sequence > ${seen} and sender <> 'visitor'
      limit ${unreadMax}) unread`;
  return row?.count ?? 0;
}

function columns(sql: Queryable) {
  return sql`chat_visitors.visitor_id as "visitorId", chat_visitors.identifier, chat_visitors.answered,
    chat_visitors.last_sequence as "lastSequence", chat_visitors.seen_by_visitor as "seenByVisitor"`;
}
