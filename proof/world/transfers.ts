/** Imports of contacts and exports of events under way. An import is stored completely or not at all; an export is complete or fails. */
import { setTimeout as pause } from 'node:timers/promises';
import { randomOf } from '../../simulator/events/random.ts';
import { lineUser } from '../../tests/harness/webhooks.ts';
import { Failure } from '../part.ts';
import { Calls, Lanes, untilAnswered, type Work } from './work.ts';
import type { World } from './world.ts';

const linesPerFile = 40;
const pauseMsMax = 2_000;
const unavailable = 503;

export function imports(world: World): Work {
  const { sql, botId, proving } = world;
  const random = randomOf(proving.seed, 'imports');
  const calls = new Calls(world);
  let number = 0;
  let people: string[] = [];
  const importing = new Lanes(world, 1, async () => {
    number += 1;
    const ids = Array.from({ length: linesPerFile }, (_, line) => lineUser(`import-${number}-${line}`));
    const body = ['platform,platform_contact_id,name', ...ids.map((id) => `line,${id},Ming`)].join('\n');
    const { status, text } = await untilAnswered(() =>
      calls.make(`${world.address}/api/v1/bots/${botId}/imports/contacts`, {
        token: world.adminToken,
        body,
        headers: { 'content-type': 'text/csv' },
      }),
    );
    if (status !== 200) throw new Failure(`an import answered ${status}`, text);
    people.push(...ids);
    await pause(random.integer(0, pauseMsMax));
  });
  return {
    name: 'imports',
    start: () => importing.start(),
    stop: () => importing.stop(),
    underWay: () => calls.underWay,
    async check() {
      const [row] = await sql<{ count: number }[]>`
        select count(*)::integer as count from contacts
        where bot_id = ${botId} and platform = 'line' and platform_contact_id = any(${people})`;
      if (row?.count !== people.length)
        throw new Failure(`${people.length} contacts were imported, but stored are ${row?.count}`);
      people = [];
    },
  };
}

export function exports(world: World): Work {
  const { sql, botId, proving } = world;
  const random = randomOf(proving.seed, 'exports');
  const calls = new Calls(world);
  let latestRows = 0;
  const exporting = new Lanes(world, 1, async () => {
    const url = `${world.address}/api/v1/bots/${botId}/exports/events?format=csv`;
    const answer = await calls.make(url, { token: world.adminToken });
    if (answer.status > 0 && answer.status !== unavailable) check(answer.status, answer.text);
    await pause(random.integer(0, pauseMsMax));
  });
  // Events are only added, so a complete export is never shorter than an earlier one.
  const check = (status: number, text: string): void => {
    if (status !== 200) throw new Failure(`an export answered ${status}`, text);
    const rows = text.split('\n').length - 2;
    if (!text.endsWith('\n') || rows < latestRows)
      throw new Failure(`an export of ${rows} rows after one of ${latestRows}`, text.slice(-200));
    latestRows = rows;
  };
  return {
    name: 'exports',
    start: () => exporting.start(),
    stop: () => exporting.stop(),
    underWay: () => calls.underWay,
    async check() {
      const answer = await untilAnswered(() =>
        calls.make(`${world.address}/api/v1/bots/${botId}/exports/events?format=csv`, {
          token: world.adminToken,
        }),
      );
      check(answer.status, answer.text);
      const [row] = await sql<{ events: number }[]>`
        select count(*)::integer as events from events where bot_id = ${botId}`;
      if (row?.events !== latestRows)
        throw new Failure(`the export has ${latestRows} events, the database ${row?.events}`);
    },
  };
}
