/**
 * Creates bots with many data by SQL: contacts and events over 90 days of four platforms, LINE's snapshots, points. A recount then
 * computes the counters from the events, like `shoal recount`.
 */
import type { Sql } from '../src/database/client.ts';
import { importSnapshots } from '../src/line/snapshots.ts';
import { recount } from '../src/rebuild/recount.ts';

const days = 90;
const snapshotDays = 30;
const contactsPerEvent = 0.1;
const dayMs = 86_400_000;
/** The step through the contacts has no common divisor with their number, a power of ten. */
const step = 7_919;

/** Adds events and a tenth as many contacts, then LINE's snapshots of 30 days, and recounts. */
export async function seedEvents(sql: Sql, botId: string, events: number, now: number): Promise<void> {
  const contacts = events * contactsPerEvent;
  const startsAt = new Date(now - days * dayMs);
  await seedContacts(sql, botId, contacts, startsAt);
  await sql`
    insert into events (bot_id, platform, key, kind, contact_id, happened_at, received_at)
    select ${botId}, contact.platform, '01J' || lpad(n::text, 23, '0'),
      case
        when contact.platform = 'line' and n <= ${contacts} then 'follow'
        when contact.platform = 'line' and n % 29 = 0 then 'unfollow'
        when contact.platform = 'line' and n % 31 = 0 then 'follow'
        when contact.platform <> 'line' and n > ${contacts} and n % 3 = 0 then 'message-out'
        else 'message-in'
      end,
      contact.contact_id, at, at
    from generate_series(1, ${events}::integer) n
    cross join lateral (select n::bigint * ${step} % ${contacts}::integer as person) whose
    join contacts contact on contact.bot_id = ${botId} and contact.platform_contact_id = 'U' || md5(person::text)
    cross join lateral (select ${startsAt}::timestamptz + n * (interval '1 day' * ${days - 1} / ${events}::integer) as at) time
    order by n`;
  await tagSome(sql, botId, startsAt);
  await importSnapshots(sql, { botId, entries: snapshots(now, contacts) }, { now });
  await sql`vacuum analyze`;
  await recount(sql, botId, { check: false, progress: () => undefined });
  await sql`vacuum analyze`;
}

/** Adds a manual tag to a quarter of the bot's contacts. */
export async function tagSome(sql: Sql, botId: string, at: Date): Promise<void> {
  await sql`
    insert into tags (bot_id, tag_id, kind, name, created_at, updated_at)
    values (${botId}, 'RegularRegular', 'manual', 'regular', ${at}, ${at})`;
  await sql`
    insert into contact_tags (bot_id, contact_id, tag_id, created_at)
    select bot_id, contact_id, 'RegularRegular', ${at} from contacts
    where bot_id = ${botId} and substr(platform_contact_id, 2, 1) < '4'`;
}

/** Adds contacts with 1 to 1,024 points each, with matching entries and lots. Returns their ids unordered. */
export async function seedPoints(sql: Sql, botId: string, contacts: number, now: number): Promise<string[]> {
  const at = new Date(now - dayMs);
  await seedContacts(sql, botId, contacts, at);
  await sql`
    insert into point_accounts (bot_id, contact_id, balance, lasting, platform)
    select bot_id, contact_id, points, points, platform from contacts
    cross join lateral (select 1 + (hashtext(contact_id) & 1023) as points) drawn
    where bot_id = ${botId}`;
  await sql`
    insert into point_entries (bot_id, contact_id, kind, amount, balance_after, key, created_at)
    select bot_id, contact_id, 'earn', balance, balance, 'seed ' || contact_id, ${at} from point_accounts
    where bot_id = ${botId}`;
  await sql`vacuum analyze`;
  const rows = await sql<{ contact_id: string }[]>`
    select contact_id from contacts where bot_id = ${botId} order by hashtext(contact_id) limit ${idsGivenMax}`;
  return rows.map((row) => row.contact_id);
}

const idsGivenMax = 50_000;

// Unordered ids of 14 letters, like random ones.
async function seedContacts(sql: Sql, botId: string, contacts: number, createdAt: Date): Promise<void> {
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
    select ${botId},
      translate(substr(md5(${botId} || n) || md5(n::text), 1, 14), '0123456789', 'GHIJKLMNOP'),
      case when n % 20 < 14 then 'line' when n % 20 < 17 then 'facebook' when n % 20 < 19 then 'whatsapp' else 'instagram' end,
      'U' || md5(n::text), ${createdAt}
    from generate_series(0, ${contacts}::integer - 1) n`;
}

function snapshots(now: number, followers: number): unknown[] {
  const of = (ago: number) => new Date(now - ago * dayMs).toISOString().slice(0, 10);
  const daily = Array.from({ length: snapshotDays }, (_, index) => snapshotDays + 1 - index).flatMap(
    (ago) => [
      {
        kind: 'followers',
        day: of(ago),
        value: {
          status: 'ready',
          followers: followers - ago,
          targetedReaches: followers - 2 * ago,
          blocks: 20,
        },
      },
      {
        kind: 'delivery',
        day: of(ago),
        value: { status: 'ready', broadcast: 100 + ago, apiPush: 40, apiReply: 25, apiBroadcast: 60 },
      },
    ],
  );
  const today = of(0);
  return [
    ...daily,
    { kind: 'demographic', day: today, value: demographic },
    { kind: 'quota', day: today, value: { type: 'limited', value: 30_000, totalUsage: 12_345 } },
  ];
}

const demographic = {
  available: true,
  genders: [
    { gender: 'unknown', percentage: 37.6 },
    { gender: 'male', percentage: 31.8 },
    { gender: 'female', percentage: 30.6 },
  ],
  ages: [
    { age: 'unknown', percentage: 37.6 },
    { age: 'from20to24', percentage: 10.4 },
    { age: 'from25to29', percentage: 15.4 },
    { age: 'from30to34', percentage: 12.6 },
    { age: 'from35to39', percentage: 9.2 },
    { age: 'from40to44', percentage: 8.1 },
    { age: 'from50', percentage: 6.7 },
  ],
  areas: [
    { area: 'unknown', percentage: 42 },
    { area: '台北市', percentage: 21.1 },
    { area: '新北市', percentage: 19.3 },
    { area: '台中市', percentage: 9.8 },
    { area: '高雄市', percentage: 7.8 },
  ],
  appTypes: [
    { appType: 'ios', percentage: 62.4 },
    { appType: 'android', percentage: 27.7 },
    { appType: 'others', percentage: 9.9 },
  ],
  subscriptionPeriods: [{ subscriptionPeriod: 'over365days', percentage: 100 }],
};
