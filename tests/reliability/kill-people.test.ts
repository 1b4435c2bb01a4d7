/** Shoal killed while it reads LINE's list of friends and their profiles: no person is lost, none is stored twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { SeededRandom } from '../../simulator/events/random.ts';
import { createBot } from '../../src/bots/bots.ts';
import { setChannel } from '../../src/bots/set-channel.ts';
import { creationIn, databaseEnvironment, launch } from '../harness/cli.ts';
import { type Answering, fakeLine } from '../harness/fake-line.ts';

const seed = 20_261_130;
const kills = 2;
const friends = 150;
const pageSize = 50;
/** Calls between two kills. */
const callsMax = 30;
const perSecond = 50;
const waitMsMax = 120_000;
const userId = (number: number) => `U${String(number).padStart(32, '0')}`;

/** LINE's list of friends in pages, and their profiles. Other calls have no figures. */
const answering: Answering = ({ url }, response) => {
  const { pathname, searchParams } = new URL(url, 'http://line');
  const send = (status: number, body: object) =>
    setTimeout(
      () => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      5,
    );
  const [, id] = /^\/v2\/bot\/profile\/(U\d+)$/.exec(pathname) ?? [];
  if (id !== undefined) return void send(200, { userId: id, displayName: `Name ${Number(id.slice(1))}` });
  if (pathname !== '/v2/bot/followers/ids') return void send(500, { message: 'Internal server error' });
  const start = Number(searchParams.get('start') ?? 0);
  const next = start + pageSize;
  const userIds = Array.from({ length: pageSize }, (_, index) => userId(start + index));
  send(200, { userIds, ...(next < friends ? { next: String(next) } : {}) });
};

test('after 2 kills each friend is one contact with a name, and only interrupted calls were repeated', async (t) => {
  t.diagnostic(`seed ${seed}`);
  const random = new SeededRandom(seed);
  const { sql, env, onEnd } = await databaseEnvironment(t);
  const line = await fakeLine(t);
  line.answerWith(answering);
  const settings = {
    SHOAL_LINE_API: line.address,
    SHOAL_COLLECT: 'on',
    SHOAL_PROFILE_CALLS_PER_SECOND: String(perSecond),
  };
  const environment = { env: { ...env, ...settings }, onEnd };
  const creation = await creationIn(sql, environment);
  const { botId } = await createBot(sql, { name: 'Tea shop', timeZone: 'Asia/Taipei' }, creation);
  await setChannel(sql, { botId, platform: 'line', secret: 'secret', accessToken: 'token' }, creation);

  const callsTo = (part: string) =>
    line.requests.map(({ url }) => url).filter((url) => url.startsWith(`/v2/bot/${part}`));
  const people = () => [...callsTo('followers/ids'), ...callsTo('profile/')].length;
  const serveUntil = async (isFar: () => Promise<boolean>) => {
    const serving = launch(environment);
    await serving.up;
    const endsAt = performance.now() + waitMsMax;
    while (!(await isFar())) {
      assert.ok(performance.now() < endsAt, 'the people were not read in time');
      await pause(5);
    }
    return serving;
  };
  for (let kill = 0; kill < kills; kill += 1) {
    const enough = people() + random.integer(1, callsMax);
    await (await serveUntil(async () => people() >= enough)).kill();
  }
  const isDone = async () => {
    const [row] = await sql<{ left: number; listed: number }[]>`
      select (select count(*) from contacts where bot_id = ${botId} and profile_due_at <= now())::integer as left,
        (select count(*) from line_friend_lists where bot_id = ${botId} and state = 'done')::integer as listed`;
    return row?.left === 0 && row.listed === 1;
  };
  const last = await serveUntil(isDone);
  await last.stop();

  const contacts = await sql<{ id: string; name: string | null }[]>`
    select platform_contact_id as id, name from contacts left join contact_profiles using (bot_id, contact_id)
    where bot_id = ${botId} order by 1`;
  assert.deepEqual(
    contacts.map(({ id, name }) => [id, name]),
    Array.from({ length: friends }, (_, number) => [userId(number), `Name ${number}`]),
  );
  const [list] = await sql`select listed, added from line_friend_lists where bot_id = ${botId}`;
  assert.deepEqual([Number(list?.listed), Number(list?.added)], [friends, friends]);
  const asked = [
    ...Map.groupBy([...callsTo('followers/ids'), ...callsTo('profile/')], (url) => url).values(),
  ];
  const most = Math.max(...asked.map((calls) => calls.length));
  assert.ok(most <= kills + 1, `a call was made ${most} times`);
});
