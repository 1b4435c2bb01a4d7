/**
 * Visitors: who writes in live chat. This server makes a visitor with the first session of a browser; a customer for whom the
 * business's server vouches is one visitor, wherever the session comes from.
 *
 *     vouched for, known before           the customer's visitor, whatever token is shown
 *     vouched for, not known before       the visitor of the token becomes the customer, unless it is another one's
 *     not vouched for                     the visitor of the token, unless it is a customer's: then a new one
 *
 * The last line is what a shared computer needs: after signing out nobody reads the chat of the customer before.
 */
import type { Queryable, Sql, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { newId, type Random } from '../random.ts';
import { dayMs, hourMs } from '../time.ts';

export type Page = { url: string | null; title: string | null; referrer: string | null };
export type Session = {
  visitorId: string;
  identified: boolean;
  /** Whether an agent or a bot program has written to the visitor. */
  answered: boolean;
  /** The number of the visitor's newest message; 0: there is none. */
  lastSequence: number;
  /** Messages of the business that the visitor has not seen; counted up to 100. */
  unread: number;
};

const idLetters = 20;
const unreadMax = 100;
const silentDays = 30;
const purgedAtOnce = 1_000;

type Row = {
  visitorId: string;
  identifier: string | null;
  answered: boolean;
  lastSequence: number;
  seenByVisitor: number;
};

/**
 * Begins or renews a session. `visitorId` is that of a good token, `identifier` one that is vouched for; null: there is none.
 * Safe to repeat, also at once: an identifier leads to one visitor for ever. Throws Refusal TOKEN_INVALID when the visitor of
 * the token is not there any more.
 */
export async function beginSession(
  sql: Sql,
  botId: string,
  {
    visitorId,
    identifier,
    ...told
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
    const found = await findOrAdd(tx, botId, { visitorId, identifier }, { now, random });
    await keepTold(tx, botId, found.visitorId, { ...told, now });
    return found;
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

/** Whether the business knows or has answered the visitor. Null: there is no such visitor. */
export async function isTrusted(sql: Queryable, botId: string, visitorId: string): Promise<boolean | null> {
  const [row] = await sql<{ trusted: boolean }[]>`
    select answered or identifier is not null as trusted from chat_visitors
    where bot_id = ${botId} and visitor_id = ${visitorId}`;
  return row?.trusted ?? null;
}

/** Deletes visitors that never wrote and have not been there for 30 days. `more`: there may be others. Safe to repeat. */
export async function purgeSilentVisitors(
  sql: Queryable,
  botId: string,
  { now }: { now: number },
): Promise<{ more: boolean }> {
  const gone = await sql`
    delete from chat_visitors where bot_id = ${botId} and visitor_id in (
      select visitor_id from chat_visitors
      where bot_id = ${botId} and last_message_at is null and identifier is null
        and session_at < ${new Date(now - silentDays * dayMs)}
      limit ${purgedAtOnce})
      and last_message_at is null and identifier is null`;
  return { more: gone.count === purgedAtOnce };
}

async function findOrAdd(
  tx: Transaction,
  botId: string,
  { visitorId, identifier }: { visitorId: string | null; identifier: string | null },
  { now, random }: { now: number; random: Random },
): Promise<Row> {
  const own = visitorId === null ? null : await lockVisitor(tx, botId, visitorId);
  if (visitorId !== null && own === null) {
    throw new Refusal('TOKEN_INVALID', 'The visitor of the token is not known any more.');
  }
  if (identifier === null) {
    return own !== null && own.identifier === null ? own : add(tx, botId, null, { now, random });
  }
  const customer = await findCustomer(tx, botId, identifier);
  if (customer) return customer;
  if (own?.identifier === null && (await bind(tx, botId, own.visitorId, identifier))) {
    return { ...own, identifier };
  }
  return add(tx, botId, identifier, { now, random });
}

async function lockVisitor(tx: Transaction, botId: string, visitorId: string): Promise<Row | null> {
  const [row] = await tx<Row[]>`
    select ${columns(tx)} from chat_visitors
    where bot_id = ${botId} and visitor_id = ${visitorId} for no key update`;
  return row ?? null;
}

async function findCustomer(tx: Transaction, botId: string, identifier: string): Promise<Row | null> {
  const [row] = await tx<Row[]>`
    select ${columns(tx)} from chat_visitors where bot_id = ${botId} and identifier = ${identifier}`;
  return row ?? null;
}

/** False: another session was first, and the identifier is another visitor's now. */
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
  // An update that changes nothing, so that the row of whoever was first comes back.
  const [row] = await tx<Row[]>`
    insert into chat_visitors (bot_id, visitor_id, identifier, created_at, session_at)
    values (${botId}, ${visitorId}, ${identifier}, ${new Date(now)}, ${new Date(now)})
    on conflict (bot_id, identifier) where identifier is not null do update set identifier = excluded.identifier
    returning ${columns(tx)}`;
  if (!row) throw new Error('a new visitor has no row');
  return row;
}

/** Keeps what the page tells, where it differs; what it leaves out stays. */
async function keepTold(
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
