/**
 * Annotations of charts: notes on a day, written by hand or through the API, and LINE's broadcasts, which appear by themselves
 * (figures.md, section 16).
 */
import type { components } from '../../contracts/types/management.ts';
import { type Bot, lockBot } from '../bots/bots.ts';
import type { Queryable, Sql } from '../database/client.ts';
import { invalidInput, Refusal } from '../errors.ts';
import { newId, type Random } from '../random.ts';
import { addDays, dayOf, dayStart } from '../time.ts';

export type Annotation = components['schemas']['Annotation'];
type Note = { day: string; text: string };

const annotationsMax = 1_000;
/** Of one range: more marks would hide the chart. */
const broadcastsMax = 500;

/** The annotations of the range by day, those of one day in the order of their creation, then its broadcasts. */
export async function listAnnotations(
  sql: Queryable,
  bot: Bot,
  { from, to }: { from: string; to: string },
): Promise<Annotation[]> {
  const [notes, broadcasts] = await Promise.all([
    sql<{ annotationId: string; day: string; text: string }[]>`
      select annotation_id as "annotationId", to_char(day, 'YYYY-MM-DD') as day, body as text from annotations
      where bot_id = ${bot.botId} and day between ${from} and ${to} order by annotations.day, created_at, annotation_id`,
    readBroadcasts(sql, bot, { from, to }),
  ]);
  const all: Annotation[] = [
    ...notes.map((note) => ({ ...note, source: 'note' as const, messages: null })),
    ...broadcasts.map(({ day, messages }) => ({
      ...{ annotationId: null, day, text: null, source: 'line-broadcast' as const, messages },
    })),
  ];
  return all.sort((one, other) => (one.day < other.day ? -1 : Number(one.day > other.day)));
}

/** Adds a note. Throws Refusal INPUT_INVALID. */
export async function createAnnotation(
  sql: Sql,
  botId: string,
  { day, text }: Note,
  { now, random }: { now: number; random: Random },
): Promise<Annotation> {
  return sql.begin(async (tx) => {
    await lockBot(tx, botId);
    const [counted] = await tx<{ count: number }[]>`
      select count(*) as count from annotations where bot_id = ${botId}`;
    if ((counted?.count ?? 0) >= annotationsMax) {
      throw invalidInput(`A bot can have ${annotationsMax} annotations.`);
    }
    const annotationId = newId(random);
    await tx`
      insert into annotations (bot_id, annotation_id, day, body, created_at)
      values (${botId}, ${annotationId}, ${day}, ${text}, ${new Date(now)})`;
    return { annotationId, day, text, source: 'note', messages: null };
  }) as Promise<Annotation>;
}

/** Throws Refusal ANNOTATION_NOT_FOUND. */
export async function deleteAnnotation(
  sql: Queryable,
  { botId, annotationId }: { botId: string; annotationId: string },
): Promise<void> {
  const { count } = await sql`
    delete from annotations where bot_id = ${botId} and annotation_id = ${annotationId}`;
  if (count > 0) return;
  throw new Refusal('ANNOTATION_NOT_FOUND', `Bot ${botId} has no annotation ${annotationId}.`);
}

/**
 * LINE's broadcasts by day: those through our gateway on the day of the bot's zone, and those that LINE reports from its own manager
 * on LINE's day. `messages`: their recipients; null: unknown.
 */
async function readBroadcasts(
  sql: Queryable,
  { botId, timeZone }: Bot,
  { from, to }: { from: string; to: string },
): Promise<{ day: string; messages: number | null }[]> {
  const [sent, reported] = await Promise.all([
    sql<{ sentAt: Date; recipients: number | null }[]>`
      select sent_at as "sentAt", recipients::float8 as recipients from line_sends
      where bot_id = ${botId} and kind = 'broadcast' and sent_at >= ${new Date(dayStart(from, timeZone))}
        and sent_at < ${new Date(dayStart(addDays(to, 1), timeZone))}
      order by sent_at desc limit ${broadcastsMax}`,
    sql<{ day: string; messages: number }[]>`
      select to_char(day, 'YYYY-MM-DD') as day, (value->>'broadcast')::float8 as messages from snapshots
      where bot_id = ${botId} and kind = 'delivery' and status = 'ready' and day between ${from} and ${to}
        and (value->>'broadcast')::float8 > 0
      order by snapshots.day desc limit ${broadcastsMax}`,
  ]);
  const days = new Map<string, number | null>();
  const add = (day: string, messages: number | null) => {
    const before = days.get(day);
    days.set(day, before === null || messages === null ? null : (before ?? 0) + messages);
  };
  for (const { sentAt, recipients } of sent) add(dayOf(sentAt.getTime(), timeZone), recipients);
  for (const { day, messages } of reported) add(day, messages);
  return [...days].map(([day, messages]) => ({ day, messages }));
}
