/**
 * `docs/data-model.md`: the tables of the database by the folder that owns them, written from the migrated schema and the statements
 * in `src/`. A table without a description fails, and so does an owner that does not insert into its table.
 */
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;

/** Folders of `src/` on the path of the data, each with its tables and the purpose of each. */
const folders: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  database: { migrations: 'The migrations that have run.' },
  bots: {
    bots: 'One row per brand: name, time zone, conversation gap. A batch locks this row.',
    channels: 'The connection to a platform, with encrypted credentials.',
    line_tokens: 'Tokens for LINE calls through Shoal, by hash, with their scope.',
    access_tokens: 'The checks of Meta’s access tokens: expiry and missing permissions; never the token.',
  },
  auth: {
    api_pairs: 'API secrets of bots, by hash; at most one pair of a bot is valid.',
    admin_tokens: 'Tokens for the management API, by hash, with scope and bots.',
    users: 'People who sign in, with the hash of their password.',
    sessions: 'Browsers that are signed in, by hash.',
    invitations: 'Links that let a person create the own user, by hash, for some days.',
    setup_links: 'Links that create the first user, by hash, for an hour.',
    sign_in_attempts: 'Failed sign-ins by hashed name and network.',
    secret_key: 'The fingerprint of the secret key in use; never the key.',
  },
  audit: { audit_entries: 'Who changed what, with the settings before and after; never updated.' },
  inbox: {
    deliveries: 'Inbound requests as they arrived, for 30 days.',
    pending_bundles: 'The queue: deliveries of one bot and commit that no batch has claimed.',
    refused_deliveries: 'Requests with a missing or wrong signature, counted by hour.',
    delivery_people: 'The index of people in deliveries, by hash.',
    delivery_people_positions: 'How far that index reaches.',
  },
  events: { events: 'Each event once, forever, without message text.' },
  contacts: {
    contacts: 'One row per id of a contact: first follow and block state.',
    contact_profiles: 'Name, customer id and attributes of a contact.',
    profile_positions: 'How far names have been read from deliveries.',
  },
  profiles: {
    profile_channels: 'When a channel is next asked for profiles.',
    contact_pictures: 'Pictures of people, fetched for the pages.',
  },
  tags: {
    tags: 'Manual, personal and automatic tags.',
    contact_tags: 'Which contact has which tag, since when and until when.',
    tag_cover_ends: 'Contacts whose tags all expire, and when the last one does.',
  },
  rollups: {
    totals: 'Every figure of a platform over all time.',
    days: 'The same by day, in the zone of the bot and for LINE in UTC+9.',
    hours: 'Messages by hour.',
    conversations: 'Message sessions; those with an inbound message are conversations.',
  },
  line: {
    snapshots: 'LINE’s reports about the account, by kind and day.',
    line_sends: 'Sends through the gateway.',
    line_send_days: 'Recipients of sends by day and kind.',
    line_reply_tokens: 'Hashes of reply tokens with their contact, for a day.',
    line_links: 'Links in place of the URLs of a send.',
    line_clicks: 'Clicks on these links, each once.',
    line_interaction_counts: 'Impressions, clicks and plays of a send, by bubble and URL and in total.',
    line_interaction_people: 'The people behind these counts, so that each counts once.',
    line_message_events: 'LINE’s statistics of a send.',
    line_unit_events: 'LINE’s statistics of an aggregation unit.',
    line_rich_menus: 'The rich menus that LINE listed.',
    line_rich_menu_events: 'LINE’s figures of a rich menu in a month.',
  },
  'line/people': { line_friend_lists: 'How far LINE’s list of friends has been read.' },
  collector: {
    collections: 'One row per kind of a platform’s own figures: schedule state and last answer.',
    collection_questions: 'The days, sends and units to ask for.',
    collection_call_limits: 'The calls left of the hourly limit, counted before each call.',
  },
  meta: { platform_days: 'Meta’s own figures of a page, an Instagram account or a WhatsApp number, by day.' },
  points: {
    point_accounts: 'The balance of a contact. A change locks this row.',
    point_entries: 'The ledger: every change, never modified.',
    point_lots: 'Points that share an expiry time.',
    point_days: 'Sums of past days of the ledger.',
    point_day_positions: 'How far these sums reach.',
  },
  'live-chat': {
    chat_visitors: 'Visitors of a website, with the state of their chat.',
    chat_messages: 'Messages of visitors and of the business.',
    chat_images: 'Images of chats, without metadata.',
    chat_notes: 'Notes of the business on a chat.',
    chat_online: 'Visitors with an open socket, by process.',
    chat_usage: 'Bytes stored per day, by visitor, address and bot.',
  },
  reports: { annotations: 'Notes on days, for charts.' },
  rewards: {
    gifts: 'The catalogue of rewards, with stock and number of grants.',
    gift_grants: 'Gifts of contacts, and their redemption.',
  },
  sends: {
    sends: 'One message for many contacts: audience, schedule, progress and numbers.',
    send_recipients: 'The contacts of a send, each with its result.',
    send_lanes: 'Which process sends on a channel now.',
    message_templates: 'Saved messages.',
  },
  'webhooks-out': {
    callbacks: 'The endpoint of a bot, with its signing secret and health.',
    notices: 'Webhook messages, written with their change.',
    pending_notices: 'The messages that are still to be sent.',
    notice_attempts: 'The requests that tried to deliver a message.',
  },
  mail: { mails: 'E-mails that wait, encrypted, and the results of sent ones without content.' },
  alerts: {
    alert_rules: 'Rules of a bot that differ from their defaults.',
    alert_targets: 'Where the alerts of a bot are reported.',
    alert_secrets: 'The secret that signs the alert webhooks of a bot.',
    alerts: 'The log: one row from the start of an alert to its end.',
    alert_reports: 'Reports of starts, ends and tests, by target; also their queue.',
    alert_checks: 'The time of the next check of all rules.',
  },
  'mail-reports': {
    mail_reports: 'Reports by e-mail: bots, schedule, language, and the latest run.',
    mail_report_recipients: 'Their addresses, and who has unsubscribed.',
    mail_report_runs: 'The periods that were planned, each once.',
  },
  mantago: {
    mantago_connections: 'The bot at MantaGo: address, id, and the encrypted API pair.',
    mantago_imports: 'The latest walk through MantaGo. The write of a step locks this row.',
    mantago_queue: 'Clients and encoded ids that later steps ask for.',
    mantago_problems: 'What the walk could not bring over.',
    mantago_days: 'MantaGo’s followers by day.',
    mantago_answers: 'MantaGo’s answers to the analysis calls.',
    mantago_comparisons: 'MantaGo’s figures next to ours, one comparison after the other.',
    mantago_watches: 'The daily comparison.',
  },
  jobs: { jobs: 'Long work in small steps: deletions and replays.' },
};

/** The arrows of the diagram: data that one folder takes from another's tables. */
const flow = [
  ['inbox', 'events'],
  ['events', 'rollups'],
  ['events', 'contacts'],
  ['collector', 'inbox'],
  ['collector', 'meta'],
  ['live-chat', 'inbox'],
  ['inbox', 'line'],
  ['line', 'rollups'],
  ['contacts', 'tags'],
  ['contacts', 'points'],
  ['contacts', 'rewards'],
  ['contacts', 'sends'],
  ['sends', 'inbox'],
  ['contacts', 'webhooks-out'],
  ['mantago', 'contacts'],
  ['mantago', 'tags'],
  ['points', 'webhooks-out'],
  ['rollups', 'alerts'],
  ['line', 'alerts'],
  ['inbox', 'alerts'],
] as const;

type Table = { name: string; key: string };

/** The page, from the text of the schema (`create table …`). */
export function renderDataModel(schema: string): string {
  const tables: Table[] = [...schema.matchAll(/^create table (\w+) \(\n([\s\S]*?)\n\);/gm)].map(
    ([, name = '', body = '']) => ({ name, key: /PRIMARY KEY \(([^)]*)\)/.exec(body)?.[1] ?? '–' }),
  );
  const writers = writersOf(tables.map(({ name }) => name));
  const owned = Object.values(folders).flatMap((purposes) => Object.keys(purposes));
  for (const { name } of tables)
    if (!owned.includes(name)) throw new Error(`tests/data-model.ts does not describe the table ${name}`);
  const sections = Object.entries(folders).map(([folder, purposes]) => {
    const rows = Object.entries(purposes).map(([name, purpose]) => {
      const table = tables.find((candidate) => candidate.name === name);
      if (!table) throw new Error(`tests/data-model.ts describes ${name}, which does not exist`);
      const { inserting, changing } = writers.get(name) ?? { inserting: [], changing: [] };
      if (!inserting.includes(folder)) throw new Error(`src/${folder} does not insert into ${name}`);
      const others = [...new Set([...inserting, ...changing])].filter((other) => other !== folder).sort();
      const also = others.map((other) => `\`${other}\``).join(', ') || '–';
      return `| \`${name}\` | ${purpose} | ${table.key.replaceAll('"', '')} | ${also} |`;
    });
    const head = ['| table | purpose | primary key | also written by |', '| --- | --- | --- | --- |'];
    return [`### \`src/${folder}/\``, '', ...head, ...rows, ''].join('\n');
  });
  return [intro, diagram(), rules(schema, tables), ...sections].join('\n');
}

const intro = `# The data model

Every table belongs to the folder of \`src/\` that inserts into it. \`npm run gen\` writes this page from the migrated database and the statements
in the code; \`tests/snapshots/schema.sql\` has all columns, constraints and indexes.

Arrows show how data flows between the folders' tables.
`;

const rules = (schema: string, tables: readonly Table[]): string => `
## Rules

- Every primary key begins with \`bot_id\`, and every join carries it, so the tables can be distributed by bot. Tables that do not belong to one
  bot are the exception: ${listOf(tables.filter(({ key }) => !key.startsWith('bot_id')).map(({ name }) => name))}.
- Foreign keys lead to ${listOf([...new Set([...schema.matchAll(/REFERENCES (\w+)/g)].map(([, name = '']) => name))])}.
- \`bot_id\` has no planner statistics in large tables ([decision 0007](decisions/0007-plans-without-statistics.md)).
- Some tables keep an older name than the code; the [glossary](glossary.md) lists them.

## Tables
`;

/** One box for each folder, with its tables: boxes within boxes would be too small to read. */
function diagram(): string {
  const boxes = Object.entries(folders).map(
    ([folder, purposes]) => `  ${idOf(folder)}["<b>${folder}</b><br>${Object.keys(purposes).join('<br>')}"]`,
  );
  const arrows = flow.map(([from, to]) => `  ${idOf(from)} --> ${idOf(to)}`);
  return ['```mermaid', 'flowchart LR', ...boxes, ...arrows, '```'].join('\n');
}

function listOf(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}

function idOf(folder: string): string {
  return `folder_${folder.replace(/\W/g, '_')}`;
}

type Writers = { inserting: string[]; changing: string[] };

/** The folders of `src/` with statements that insert into each table, and with those that change or delete its rows. */
function writersOf(tables: readonly string[]): Map<string, Writers> {
  const writers = new Map<string, Writers>(tables.map((name) => [name, { inserting: [], changing: [] }]));
  const sources = globSync('src/**/*.ts', { cwd: root }).filter((file) => !file.endsWith('.test.ts'));
  for (const file of sources) {
    const text = readFileSync(join(root, file), 'utf8');
    for (const [, verb, table = ''] of text.matchAll(/\b(insert into|update|delete from)\s+(\w+)/g)) {
      const { inserting, changing } = writers.get(table) ?? {};
      (verb === 'insert into' ? inserting : changing)?.push(dirname(file).slice('src/'.length));
    }
  }
  return writers;
}
