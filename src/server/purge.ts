/**
 * The deletion of old data, and the storing of past days of points.
 *
 * One statement finds the work of several hundred bots. Only bots with work cost statements of their own, so thousands of quiet bots
 * cost almost nothing.
 */
import { isOldAlert, purgeAlerts } from '../alerts/log.ts';
import { purgeAudit } from '../audit/entries.ts';
import { purgeAttempts } from '../auth/attempts.ts';
import { purgeInvitations } from '../auth/invitations.ts';
import { purgeSessions } from '../auth/sessions.ts';
import type { Config } from '../config.ts';
import type { Fragment, Sql } from '../database/client.ts';
import { botsPerStatement } from '../database/cluster.ts';
import { textList } from '../database/lists.ts';
import { botOf } from '../database/row-table.ts';
import { hasOldDeliveries, purgeDeliveries } from '../inbox/deliveries.ts';
import { isOldRefused, purgeRefused } from '../inbox/refused.ts';
import { isOldJob, purgeJobs } from '../jobs/jobs.ts';
import { isOldClick, purgeClicks } from '../line/clicks.ts';
import { hasOldToken, isOldToken, purgeReplyTokens } from '../line/reply-tokens.ts';
import { isOldImage, purgeImages } from '../live-chat/erasure.ts';
import { isOldUsage, purgeUsage } from '../live-chat/usage.ts';
import { isSilentVisitor, purgeSilentVisitors } from '../live-chat/visitors.ts';
import { purgeMails } from '../mail/queue.ts';
import { purgeReportRuns } from '../mail-reports/runs.ts';
import { hasNewPointDays, storePointDays } from '../points/point-periods.ts';
import { isOldPicture, purgePictures } from '../profiles/pictures.ts';
import { isOldSend, purgeSends } from '../sends/sends.ts';
import { isExpiredAssignment, purgeExpired } from '../tags/expiry.ts';
import type { Clock } from '../time.ts';
import { hasOldMessages, purgeMessages } from '../webhooks-out/log.ts';

const botsAtOnce = 500;

type Settings = Pick<Config, 'retentionDays' | 'callbackLogDays' | 'chatImageDays' | 'auditDays'> & {
  clock: Clock;
};

/**
 * A kind of work: whether a bot of `bots` has any, and the work itself. `inQueue`: only tables that are not distributed decide
 * (database/cluster.ts).
 */
type Chore = { isDue: Fragment; inQueue?: true; run(botId: string): Promise<void> };

/** Runs all work that is due. Safe to repeat, by any number of processes; ends early if `isStopped` returns true. */
export async function purge(sql: Sql, settings: Settings, isStopped: () => boolean): Promise<void> {
  const { clock } = settings;
  await purgeSessions(sql, { now: clock() });
  await purgeInvitations(sql, { now: clock() });
  await purgeAttempts(sql, { now: clock() });
  await purgeMails(sql, { now: clock() });
  await purgeAudit(sql, { now: clock(), auditDays: settings.auditDays, isStopped });
  await purgeReportRuns(sql, { now: clock() });
  const botsMax = Math.min(botsAtOnce, await botsPerStatement(sql));
  for (let after: string | undefined = ''; after !== undefined && !isStopped(); ) {
    const bots: { botId: string }[] = await sql`
      select bot_id as "botId" from bots where bot_id > ${after} order by bot_id limit ${botsAtOnce}`;
    for (let first = 0; first < bots.length; first += botsMax)
      await purgeBots(sql, settings, bots.slice(first, first + botsMax), isStopped);
    after = bots.length < botsAtOnce ? undefined : bots.at(-1)?.botId;
  }
}

async function purgeBots(
  sql: Sql,
  settings: Settings,
  bots: readonly { botId: string }[],
  isStopped: () => boolean,
): Promise<void> {
  const chores = choresOf(sql, settings, { bot: botOf(sql, 'bots', bots), isStopped });
  const botIds = textList(bots.map(({ botId }) => botId));
  const [queues, tables] = [
    chores.filter(({ inQueue }) => inQueue),
    chores.filter(({ inQueue }) => !inQueue),
  ];
  const works = await Promise.all([
    findDue(sql, queues, sql`unnest(${botIds}::text[]) as bots (bot_id)`),
    findDue(sql, tables, sql`bots where bots.bot_id = any (${botIds}::text[])`),
  ]);
  for (const { botId, run } of works.flat()) {
    if (isStopped()) return;
    await run(botId);
  }
}

function choresOf(
  sql: Sql,
  { clock, ...settings }: Settings,
  { bot, isStopped }: { bot: Fragment; isStopped: () => boolean },
): Chore[] {
  const { retentionDays, callbackLogDays: logDays, chatImageDays: imageDays } = settings;
  const now = clock();
  // A scalar, not `exists`: the planner must look at the rows of each bot by the index, and not join the whole table.
  const has = (table: string, condition: Fragment) =>
    sql`(select true from ${sql(table)} where ${sql(table)}.bot_id = ${bot} and ${condition} limit 1)`;
  const inBatches = async (step: () => Promise<{ more: boolean }>) => {
    while (!isStopped() && (await step()).more);
  };
  return [
    {
      isDue: hasOldDeliveries(sql, bot, { now, retentionDays }),
      inQueue: true,
      run: (botId) => inBatches(() => purgeDeliveries(sql, botId, { now, retentionDays })),
    },
    {
      isDue: hasOldMessages(sql, bot, { now, logDays }),
      inQueue: true,
      run: (botId) => inBatches(() => purgeMessages(sql, botId, { now, logDays })),
    },
    {
      isDue: has('chat_images', isOldImage(sql, { now, imageDays })),
      inQueue: true,
      run: (botId) => inBatches(() => purgeImages(sql, botId, { now, imageDays })),
    },
    {
      isDue: has('chat_visitors', isSilentVisitor(sql, { now })),
      inQueue: true,
      run: (botId) => inBatches(() => purgeSilentVisitors(sql, botId, { now })),
    },
    {
      isDue: has('contact_tags', isExpiredAssignment(sql, { now })),
      run: (botId) => purgeExpired(sql, botId, { now }),
    },
    {
      isDue: has('jobs', isOldJob(sql, { now })),
      inQueue: true,
      run: (botId) => purgeJobs(sql, botId, { now }),
    },
    {
      isDue: has('sends', isOldSend(sql, { now })),
      run: (botId) => inBatches(() => purgeSends(sql, botId, { now })),
    },
    {
      isDue: sql`coalesce(${has('line_reply_tokens', isOldToken(sql, { now }))},
        ${has('line_sends', hasOldToken(sql, { now }))})`,
      run: (botId) => purgeReplyTokens(sql, botId, { now }),
    },
    {
      isDue: has('line_clicks', isOldClick(sql, { now, retentionDays })),
      run: (botId) => purgeClicks(sql, botId, { now, retentionDays }),
    },
    {
      isDue: has('refused_deliveries', isOldRefused(sql, { now })),
      inQueue: true,
      run: (botId) => purgeRefused(sql, botId, { now }),
    },
    {
      isDue: has('alerts', isOldAlert(sql, { now })),
      inQueue: true,
      run: (botId) => purgeAlerts(sql, botId, { now }),
    },
    {
      isDue: has('chat_usage', isOldUsage(sql, { now })),
      inQueue: true,
      run: (botId) => purgeUsage(sql, botId, { now }),
    },
    {
      isDue: has('contact_pictures', isOldPicture(sql, { now })),
      run: (botId) => purgePictures(sql, botId, { now }),
    },
    { isDue: hasNewPointDays(sql, bot, { now }), run: (botId) => storePointDays(sql, botId, { now }) },
  ];
}

/** The due chores of the bots, by bot. */
async function findDue(
  sql: Sql,
  chores: readonly Chore[],
  bots: Fragment,
): Promise<(Pick<Chore, 'run'> & { botId: string })[]> {
  const columns = chores.reduce(
    (list, { isDue }, index) => sql`${list}, case when ${isDue} then ${index}::integer end`,
    sql`null::integer`,
  );
  const rows = await sql<{ botId: string; due: number[] }[]>`
    select bots.bot_id as "botId", array_remove(array[${columns}], null) as due from ${bots}`;
  return rows.flatMap(({ botId, due }) =>
    due.flatMap((index) => {
      const chore = chores[index];
      return chore === undefined ? [] : [{ botId, run: chore.run }];
    }),
  );
}
