import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { type FaultyLine, faultyLine, faultyLineToken } from '../../tests/harness/faulty-line.ts';
import { seededBytes } from '../../tests/harness/random.ts';
import { openKeys } from '../auth/keys.ts';
import { createBot } from '../bots/bots.ts';
import type { ChannelSettings } from '../bots/channel-settings.ts';
import { enableChannel } from '../bots/channels.ts';
import { setChannel } from '../bots/set-channel.ts';
import { readConfig } from '../config.ts';
import type { Sql } from '../database/client.ts';
import { latestDayAt } from '../line/collector/kinds.ts';
import type { CollectStatus } from '../line/collector/status.ts';
import { startServer } from '../server/server.ts';
import { addDays } from '../time.ts';
import { register } from './collect.ts';
import { ShoalCommand } from './command.ts';
import type { Context } from './context.ts';

type Collect = {
  sql: Sql;
  line: FaultyLine;
  botId: string;
  addBot(): Promise<string>;
  setLine(botId: string, settings: Partial<ChannelSettings>): Promise<void>;
  /** Runs the command; returns its stdout. */
  run(...args: string[]): Promise<string>;
  json(...args: string[]): Promise<{ done: boolean; bots: CollectStatus[] }>;
};

async function collect(t: TestContext, { days }: { days: number }): Promise<Collect> {
  const { sql } = await testDatabase(t);
  const line = await faultyLine(t);
  line.readyDay = latestDayAt(Date.now());
  line.firstDay = addDays(line.readyDay, 1 - days);
  const random = seededBytes(1);
  const keys = await openKeys({ secretKey: 'a secret key for tests, long enough', dataFolder: '', random });
  const making = () => ({ now: Date.now(), random, keys });
  const config = { ...readConfig({}, {}), lineApi: line.address, lineCallsPerHour: 1_000_000 };
  const test: Collect = {
    sql,
    line,
    botId: '',
    addBot: async () => (await createBot(sql, { name: 'Shop', timeZone: 'Asia/Taipei' }, making())).botId,
    setLine: (botId, settings) => setChannel(sql, { botId, platform: 'line', ...settings }, making()),
    async run(...args) {
      let out = '';
      const context: Context = {
        withDatabase: (run) => run(sql),
        clock: Date.now,
        random,
        out: (text) => {
          out += text;
        },
        log: () => undefined,
        keys: async () => keys,
        config: () => ({ ...config, logLevel: 'silent', lineApi: line.address }),
        startServer,
      };
      const program = new ShoalCommand('shoal', context);
      register(program, context);
      await program.parseAsync(['collect', ...args], { from: 'user' });
      return out;
    },
    json: async (...args) => JSON.parse(await test.run(...args, '--json')),
  };
  // An incomplete run sets the exit code of its process, which here is the test's.
  t.after(() => {
    process.exitCode = undefined;
  });
  test.botId = await test.addBot();
  await test.setLine(test.botId, { secret: 'secret', accessToken: faultyLineToken });
  return test;
}

test('it fetches and processes LINE’s figures and shows the state; a second run requests current values again, but no days', async (t) => {
  const { run, json, line, sql, botId } = await collect(t, { days: 12 });
  const { done, bots } = await json(botId);
  const followers = bots[0]?.kinds.find(({ kind }) => kind === 'followers');
  assert.equal(done, true);
  assert.deepEqual(followers?.questions, { ready: 12, 'out-of-service': 1 });
  assert.deepEqual([followers?.daysLeft, followers?.secondsLeft, followers?.failing], [0, 0, 0]);
  const [held] = await sql`
    select count(*)::integer as count from snapshots where kind = 'followers' and status = 'ready'`;
  assert.equal(held?.count, 12);
  const before = line.calls.length;
  assert.equal((await json()).done, true);
  const again = line.calls.slice(before).map(({ endpoint }) => endpoint);
  assert.deepEqual(again.sort(), ['consumption', 'demographic', 'info', 'quota', 'rich-menus']);
  const output = await run('status', botId);
  assert.match(output, new RegExp(`^${botId}: collecting\nkind +state +last answer +next`));
  const days = `${addDays(line.firstDay, -1)} … ${line.readyDay}`;
  assert.match(output, new RegExp(`^followers +resting +\\S+Z +\\S+Z +${days} +0$`, 'm'));
});

test('--from limits the days, is stored, and can be moved earlier', async (t) => {
  const { run, line, botId } = await collect(t, { days: 12 });
  const from = addDays(line.readyDay, -2);
  await run(botId, '--from', from);
  assert.equal(line.callsOf('followers').length, 3);
  await run(botId);
  assert.equal(line.callsOf('followers').length, 3);
  await run(botId, '--from', addDays(from, -4));
  assert.equal(line.callsOf('followers').length, 7);
  for (const wrong of ['2026-02-30', '2016-10-31', addDays(line.readyDay, 2)]) {
    const message = /--from must be a day from 2016-11-01 to/;
    await assert.rejects(run(botId, '--from', wrong), { code: 'INPUT_INVALID', message });
  }
});

test('a refused token stops it with a remedy, without the token; a new token continues', async (t) => {
  const { run, json, setLine, line, botId } = await collect(t, { days: 3 });
  line.token = 'another-token';
  const output = await run(botId);
  assert.match(output, /: stopped\. LINE refuses the access token \(401\)\. Set a valid one\./);
  assert.ok(!output.includes(faultyLineToken));
  assert.equal((await json(botId)).done, false);
  assert.equal(process.exitCode, 1);
  await setLine(botId, { accessToken: 'another-token' });
  assert.equal((await json(botId)).done, true);
});

test('an unreadable answer for one day is shown with the day, and does not stop the others', async (t) => {
  const { run, json, line, botId } = await collect(t, { days: 5 });
  const day = addDays(line.readyDay, -2);
  line.fault = ({ subject }) => (subject === day ? { status: 200, body: '{"status":"ready"}' } : null);
  await run(botId);
  const { bots } = await json(botId);
  const followers = bots[0]?.kinds.find(({ kind }) => kind === 'followers');
  assert.equal(followers?.failing, 1);
  assert.equal(followers?.failingSubject, day);
  assert.match(followers?.failingProblem ?? '', /cannot be read: value\.followers must be a whole number/);
  assert.match(
    await run('status', botId),
    new RegExp(`followers: requests to retry: 1, for example ${day}: LINE's answer`),
  );
});

test('a bot without a usable channel is refused with the reason', async (t) => {
  const { run, addBot, setLine, sql, botId } = await collect(t, { days: 1 });
  const other = await addBot();
  await assert.rejects(run(botId, other), { code: 'CHANNEL_NOT_FOUND' });
  await setLine(other, { secret: 'secret' });
  await assert.rejects(run(other), { message: /has no access token: shoal channel set/ });
  await assert.rejects(run('missing'), { code: 'BOT_NOT_FOUND' });
  await assert.rejects(run('status', 'missing'), { code: 'BOT_NOT_FOUND' });
  await enableChannel(sql, { botId, platform: 'line', enabled: false, now: Date.now() });
  await assert.rejects(run(botId), { message: /disabled/ });
  assert.match(await run('status', botId), /: off\. The channel is disabled\./);
  await enableChannel(sql, { botId, platform: 'line', enabled: true, now: Date.now() });
  await sql`delete from line_tokens`;
  await assert.rejects(run(botId), { message: /must be set once more/ });
  assert.match(await run(), /No channel has an access token/);
});
