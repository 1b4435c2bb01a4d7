/**
 * The kept runs of conversations: which rows a batch of messages touches, what becomes of them, and the writing.
 *
 * In: the new messages of each contact, and the old times of messages that were moved. Out: changed rows of `conversations`
 * and the tally. Correct for any split of the messages into batches, because runs merge by their ends (conversations.ts) and
 * a run that lost a message is built anew from its events.
 */
import type { Queryable } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { type Column, rowTable } from '../database/row-table.ts';
import { messagesBetween } from '../events/store.ts';
import { isMessage } from '../platforms/event.ts';
import type { PlatformName } from '../platforms/platform.ts';
import { mergeRuns, type Run, runOf, tallyRun } from './conversations.ts';
import type { Tally } from './counters.ts';

/** What a batch does to one contact's runs. Times in ms. */
export type ContactRuns = {
  contactId: string;
  platform: PlatformName;
  /** New messages, by event key, each a run of one. */
  messages: Map<string, Run>;
  /** Times that moved messages had before. */
  leftAt: number[];
};

type RunOfContact = Run & { contactId: string; platform: PlatformName };

/** How the rows of `conversations` are to change. Of a contact no two runs begin at the same time. */
export type RunChanges = {
  removed: { contactId: string; firstAt: number }[];
  added: RunOfContact[];
  changed: RunOfContact[];
};

/** The kept runs that the contacts' messages can touch, by contact. */
export async function runsBeside(
  sql: Queryable,
  botId: string,
  contacts: readonly ContactRuns[],
  gapMs: number,
): Promise<Map<string, Run[]>> {
  if (contacts.length === 0) return new Map();
  const spans = contacts.map(({ contactId, messages, leftAt }) => {
    const times = [...leftAt, ...[...messages.values()].map(({ firstAt }) => firstAt)];
    return { contactId, from: Math.min(...times), to: Math.max(...times) + gapMs };
  });
  const rows = await sql<RunRow[]>`
    select near.* from ${rowTable(sql, 'span', spans, {
      contact_id: ['text', ({ contactId }) => contactId],
      starts_at: ['timestamptz', ({ from }) => from],
      ends_at: ['timestamptz', ({ to }) => to],
    })}
    cross join lateral (${runsNear(sql, botId)}) near`;
  return groupRuns(rows);
}

/**
 * For queries: the runs of the contact of `span` that can touch what lies in it, namely the latest that begins before it, and those
 * that begin in it.
 */
export function runsNear(sql: Queryable, botId: string) {
  return sql`
    (select ${runSelection(sql)} from conversations c
      where c.bot_id = ${botId} and c.contact_id = span.contact_id and first_at <= span.starts_at
      order by first_at desc limit 1)
    union all
    (select ${runSelection(sql)} from conversations c
      where c.bot_id = ${botId} and c.contact_id = span.contact_id
        and first_at > span.starts_at and first_at <= span.ends_at)`;
}

function runSelection(sql: Queryable) {
  return sql`
    contact_id, date_part('epoch', first_at) as first_seconds, date_part('epoch', last_at) as last_seconds, inbound, outbound`;
}

/** All kept runs of the contacts, by contact. */
export async function runsOfContacts(
  sql: Queryable,
  botId: string,
  contactIds: readonly string[],
): Promise<Map<string, Run[]>> {
  const rows = await sql<RunRow[]>`
    select ${runSelection(sql)} from conversations
    where bot_id = ${botId} and contact_id = any(${textList(contactIds)}::text[])
    order by contact_id, first_at`;
  return groupRuns(rows);
}

/** Merges the new messages into the kept runs and tallies the difference. */
export async function foldRuns(
  sql: Queryable,
  botId: string,
  tally: Tally,
  contacts: readonly ContactRuns[],
  kept: ReadonlyMap<string, Run[]>,
  gapMs: number,
): Promise<RunChanges> {
  const changes = noRunChanges();
  const broken = brokenRuns(contacts, kept);
  await readBrokenRuns(sql, botId, contacts, broken);
  for (const { contactId, platform, messages } of contacts) {
    const before = kept.get(contactId) ?? [];
    const whole = before.filter((run) => !broken.has(run));
    const after = mergeRuns([...whole, ...messages.values()], gapMs);
    addChanges(changes, tally, { contactId, platform, before, after });
  }
  return changes;
}

/** Nothing yet. */
export function noRunChanges(): RunChanges {
  return { removed: [], added: [], changed: [] };
}

/** Tallies and lists how `before` differs from `after`. */
export function addChanges(
  changes: RunChanges,
  tally: Tally,
  {
    contactId,
    platform,
    before,
    after,
  }: { contactId: string; platform: PlatformName; before: Run[]; after: Run[] },
): void {
  const unchanged = new Set(before.map(runText));
  const starts = new Set(after.map(({ firstAt }) => firstAt));
  const startsBefore = new Set(before.map(({ firstAt }) => firstAt));
  for (const run of after) {
    if (unchanged.delete(runText(run))) continue;
    tallyRun(tally, platform, run, 1);
    const list = startsBefore.has(run.firstAt) ? changes.changed : changes.added;
    list.push({ ...run, contactId, platform });
  }
  for (const run of before) {
    if (!unchanged.has(runText(run))) continue;
    tallyRun(tally, platform, run, -1);
    if (!starts.has(run.firstAt)) changes.removed.push({ contactId, firstAt: run.firstAt });
  }
}

/** Writes what has become of runs. Not repeatable: belongs in the transaction that has read them. */
export async function writeRuns(
  sql: Queryable,
  botId: string,
  { removed, added, changed }: RunChanges,
): Promise<void> {
  await Promise.all([
    removed.length === 0
      ? undefined
      : sql`
        delete from conversations using ${rowTable(sql, 'old', removed, {
          contact_id: ['text', ({ contactId }) => contactId],
          first_at: ['timestamptz', ({ firstAt }) => firstAt],
        })}
        where conversations.bot_id = ${botId} and conversations.contact_id = old.contact_id
          and conversations.first_at = old.first_at`,
    changed.length === 0
      ? undefined
      : sql`
        update conversations set last_at = new.last_at, inbound = new.inbound, outbound = new.outbound
        from ${rowTable(sql, 'new', changed, runColumns)}
        where conversations.bot_id = ${botId} and conversations.contact_id = new.contact_id
          and conversations.first_at = new.first_at`,
    added.length === 0
      ? undefined
      : sql`
        insert into conversations (bot_id, contact_id, first_at, last_at, platform, inbound, outbound)
        select ${botId}, new.* from ${rowTable(sql, 'new', added, runColumns)}`,
  ]);
}

const runColumns: Record<string, Column<RunOfContact>> = {
  contact_id: ['text', ({ contactId }) => contactId],
  first_at: ['timestamptz', ({ firstAt }) => firstAt],
  last_at: ['timestamptz', ({ lastAt }) => lastAt],
  platform: ['text', ({ platform }) => platform],
  inbound: ['integer', ({ inbound }) => inbound],
  outbound: ['integer', ({ outbound }) => outbound],
};

/** The runs that a moved message has left: what remains of them only their events can tell. */
function brokenRuns(contacts: readonly ContactRuns[], kept: ReadonlyMap<string, Run[]>): Map<Run, string> {
  const broken = new Map<Run, string>();
  for (const { contactId, leftAt } of contacts) {
    for (const run of kept.get(contactId) ?? []) {
      if (leftAt.some((at) => at >= run.firstAt && at <= run.lastAt)) broken.set(run, contactId);
    }
  }
  return broken;
}

async function readBrokenRuns(
  sql: Queryable,
  botId: string,
  contacts: readonly ContactRuns[],
  broken: ReadonlyMap<Run, string>,
): Promise<void> {
  if (broken.size === 0) return;
  const spans = [...broken].map(([run, contactId]) => ({ contactId, from: run.firstAt, to: run.lastAt }));
  const byContact = new Map(contacts.map((contact) => [contact.contactId, contact]));
  for (const { contactId, key, kind, happenedAt } of await messagesBetween(sql, botId, spans)) {
    if (contactId !== null && isMessage(kind))
      byContact.get(contactId)?.messages.set(key, runOf(happenedAt, kind));
  }
}

export type RunRow = {
  contact_id: string;
  first_seconds: number;
  last_seconds: number;
  inbound: number;
  outbound: number;
};

function toRun(row: RunRow): Run {
  return {
    firstAt: Math.round(row.first_seconds * 1_000),
    lastAt: Math.round(row.last_seconds * 1_000),
    inbound: row.inbound,
    outbound: row.outbound,
  };
}

/** The runs by contact. */
export function groupRuns(rows: Iterable<RunRow>): Map<string, Run[]> {
  const byContact = new Map<string, Run[]>();
  for (const row of rows) {
    const runs = byContact.get(row.contact_id);
    if (runs) runs.push(toRun(row));
    else byContact.set(row.contact_id, [toRun(row)]);
  }
  return byContact;
}

function runText({ firstAt, lastAt, inbound, outbound }: Run): string {
  return `${firstAt} ${lastAt} ${inbound} ${outbound}`;
}
