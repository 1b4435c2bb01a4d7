/** Collecting: LINE's figures of every day are fetched again and again. Each stored figure is the one that LINE has. */
import { randomOf } from '../../simulator/events/random.ts';
import { Failure } from '../part.ts';
import { Calls, type Work } from './work.ts';
import type { World } from './world.ts';

const daysChecked = 4;
const callsSeen = 12;
const againMs = 1_000;
const insight = '/v2/bot/insight';
/** Slow answers, so that a kill finds calls under way. */
const slowCalls = 30;
const answerMs = 100;

export function collecting(world: World): Work {
  const { sql, botId, line, proving } = world;
  const random = randomOf(proving.seed, 'collecting');
  const calls = new Calls(world);
  let timer: NodeJS.Timeout | undefined;
  let asking = Promise.resolve();
  // Forgets the questions, but not LINE's answers: the collector asks them all again.
  const askAgain = async (): Promise<void> => {
    await sql
      .begin(async (tx) => {
        const due = await tx`
          select from collections where bot_id = ${botId} and (look_at is null or look_at <= now()) limit 1`;
        if (due.length > 0) return;
        line.control.fail({ kind: 'slow', path: insight, count: slowCalls, delayMs: answerMs });
        await tx`delete from collection_questions where bot_id = ${botId} and kind in ('followers', 'delivery')`;
        await tx`
          update collections set look_at = null, paused_until = null
          where bot_id = ${botId} and kind in ('followers', 'delivery')`;
      })
      // PostgreSQL was killed. The next turn asks again.
      .catch(() => undefined);
  };
  return {
    name: 'collecting',
    start() {
      asking = asking.then(askAgain);
      timer = setInterval(() => {
        asking = asking.then(askAgain);
      }, againMs);
    },
    async stop() {
      clearInterval(timer);
      await asking;
      line.control.heal();
    },
    underWay: () => line.control.calls.slice(-callsSeen).filter(isUnanswered).length,
    async check() {
      const rows = await sql<{ day: string; value: unknown }[]>`
        select to_char(day, 'YYYYMMDD') as day, value from snapshots where bot_id = ${botId} and kind = 'followers'`;
      if (rows.length === 0) throw new Failure('nothing was collected');
      for (let checked = 0; checked < daysChecked; checked++) {
        const { day = '', value } = rows[random.integer(0, rows.length - 1)] ?? {};
        const url = `${line.address}/v2/bot/insight/followers?date=${day}`;
        const answer = await calls.make(url, { token: line.credentials.accessToken });
        if (JSON.stringify(sorted(JSON.parse(answer.text))) !== JSON.stringify(sorted(value)))
          throw new Failure(`the followers of ${day} differ from LINE's`, {
            stored: value,
            line: answer.text,
          });
      }
    },
  };
}

function isUnanswered({ path, status }: { path: string; status: number }): boolean {
  return path.startsWith(insight) && status === 0;
}

function sorted(value: unknown): [string, unknown][] {
  return Object.entries(value ?? {}).sort(([a], [b]) => a.localeCompare(b));
}
