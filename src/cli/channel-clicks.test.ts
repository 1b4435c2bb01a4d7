import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandRunner } from '../../tests/harness/command.ts';
import { testDatabase } from '../../tests/harness/database.ts';
import { addClicksCommand } from './channel-clicks.ts';

test('click counting is switched on and off for a LINE channel, and refused without one', async (t) => {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name) values ('bot', 'Bot')`;
  const run = commandRunner(sql, addClicksCommand, { now: 0 });
  await assert.rejects(run('track-clicks', 'bot', 'on'), { code: 'CHANNEL_NOT_FOUND' });
  await sql`insert into channels (bot_id, platform, secret_sealed) values ('bot', 'line', 'sealed')`;
  const isOn = async () =>
    (await sql<{ track_clicks: boolean }[]>`select track_clicks from channels`)[0]?.track_clicks;
  assert.equal((await run('track-clicks', 'bot', 'on')).out, 'Clicks are counted.');
  assert.equal(await isOn(), true);
  const { out } = await run('track-clicks', 'bot', 'off', '--json');
  assert.deepEqual(JSON.parse(out), { botId: 'bot', trackClicks: false });
  assert.equal(await isOn(), false);
});
