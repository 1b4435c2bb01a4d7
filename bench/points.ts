/**
 * The points call for 100 client ids among many contacts, 50 at a time. Compared with plain SQL for the same balances by primary key,
 * with the same client, pool size and concurrency.
 */
import type { Measuring } from './plan.ts';
import { pointsBySql } from './points-sql.ts';
import type { Line } from './report.ts';
import { seedPoints } from './seed.ts';
import { answerOf, onlyOk, pointsCall, poolSize, type Server } from './stage.ts';

const idsInCall = 100;
const listsMax = 200;
const warmUpMs = 2_000;

/** Row 5. Throws if the call and the SQL return different balances. */
export async function measurePoints({ stage, plan, say }: Measuring): Promise<Line[]> {
  const bot = await stage.addBot('points');
  say(`seeding ${plan.contactsWithPoints} contacts with points`);
  const ids = await seedPoints(stage.sql, bot.botId, plan.contactsWithPoints, Date.now());
  const lists = Array.from({ length: listsMax }, (_, list) =>
    ids.slice(list * idsInCall, (list + 1) * idsInCall),
  );
  const calls = lists.map((list) => pointsCall(bot, list));
  const common = { connections: plan.connections, durationMs: plan.callsMs };
  const server = await stage.startServer();
  try {
    await checkBalances(server);
    const api = (durationMs = plan.callsMs) =>
      stage.generate({ ...common, kind: 'calls', port: server.port, calls, durationMs }).then(onlyOk);
    const { dataFolder } = stage;
    const bySql = (durationMs = plan.callsMs) =>
      stage.generate({
        ...common,
        kind: 'points-sql',
        dataFolder,
        botId: bot.botId,
        lists,
        poolSize,
        durationMs,
      });
    await api(warmUpMs);
    await bySql(warmUpMs);
    await stage.settle();
    const values: number[] = [];
    const references: number[] = [];
    for (let run = 0; run < plan.runs; run++) {
      references.push((await bySql()).perSecond);
      values.push((await api()).perSecond);
      say(`points ${Math.round(values.at(-1) ?? 0)}/s, SQL ${Math.round(references.at(-1) ?? 0)}/s`);
    }
    return [
      {
        what: `points call for ${idsInCall} client ids, ${plan.contactsWithPoints.toLocaleString('en-US')} contacts, 50 at a time`,
        unit: '/s',
        values,
        against: { what: 'the bare SQL by primary key, same client and pool', values: references },
        ratios: values.map((value, run) => value / (references[run] ?? 0)),
        target: { statistic: 'median', sense: 'at least', bound: 0.75 },
      },
    ];
  } finally {
    await server.stop();
  }

  async function checkBalances(server: Server): Promise<void> {
    const list = lists[0] ?? [];
    const answer = JSON.parse(await answerOf(server, pointsCall(bot, list))) as {
      points: { clientId: string; points: number }[];
    };
    const balances = new Map(answer.points.map(({ clientId, points }) => [clientId, points]));
    const rows = await pointsBySql(stage.sql, bot.botId, list);
    const wrong = rows.filter((row) => balances.get(row.contact_id) !== row.balance);
    if (rows.length !== idsInCall || wrong.length > 0) throw new Error('the call and the SQL differ');
  }
}
