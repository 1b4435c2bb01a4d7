import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { commandRunner, temporaryFile } from '../../tests/harness/command.ts';
import { testDatabase } from '../../tests/harness/database.ts';
import { openKeys } from '../auth/keys.ts';
import { setChannel } from '../bots/set-channel.ts';
import { register } from './send.ts';

test('sends are previewed, created once for a key, listed, paused, resumed and stopped', async (t) => {
  const { sql } = await testDatabase(t);
  const now = Date.parse('2026-03-01T00:00:00Z');
  const random = randomBytes;
  const keys = await openKeys({ secretKey: 'a secret key for tests, long enough', dataFolder: '', random });
  await sql`insert into bots (bot_id, name) values ('shop', 'Shop')`;
  const channel = { botId: 'shop', platform: 'line', secret: 's', accessToken: 'a' } as const;
  await setChannel(sql, channel, { now, random, keys });
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, blocked, created_at) values
      ('shop', 'Ada', 'line', 'U00000000000000000000000000000001', false, now()),
      ('shop', 'Bob', 'line', 'U00000000000000000000000000000002', true, now())`;
  const run = commandRunner(sql, register, { now });
  const outOf = async (...words: string[]) => (await run('send', ...words)).out;
  assert.match(await outOf('preview', 'shop', 'line', '--all'), /^1 recipients {2}1 left out \(blocked\)/);
  await assert.rejects(run('send', 'preview', 'shop', 'line'), /Give either --contacts/);
  await assert.rejects(run('send', 'create', 'shop', 'line', '--all'), /Give either --text or --template/);
  const file = await temporaryFile(t, 'Ada\n\nU00000000000000000000000000000002\nNone\n');
  const create = [
    'create',
    'shop',
    'line',
    '--contacts',
    file,
    '--text',
    'Hi',
    '--name',
    'Sale',
    '--key',
    'k',
  ];
  const created = await outOf(...create);
  assert.match(created, /^\d+ {2}line {2}running 0 % {2}Sale {2}1 recipients {2}1 blocked, 1 pending/);
  assert.equal(await outOf(...create), created);
  const [id = ''] = created.split(' ');
  assert.equal(await outOf('list', 'shop'), created);
  assert.match(await outOf('pause', 'shop', id), /paused 0 %/);
  assert.match(await outOf('show', 'shop', id, '--follow'), /paused 0 %/);
  assert.match(await outOf('resume', 'shop', id), /running 0 %/);
  assert.equal(await outOf('recipients', 'shop', id, '--state', 'pending'), '1  Ada  pending');
  assert.match(await outOf('stop', 'shop', id), /stopped 0 %/);
  const other = JSON.parse(
    await outOf(
      ...['create', 'shop', 'line', '--created-from', '2020-01-01', '--zone', 'Asia/Tokyo'],
      ...['--start-at', '2026-03-02T09:00', '--quiet-hours', '22:00-08:30'],
      ...['--text', 'Hi', '--quick-reply', 'Yes', '--quick-reply', 'No', '--json'],
    ),
  );
  assert.deepEqual(
    [other.startsAt, other.quietHours, other.zone, other.message.quickReplies, other.audience.from],
    [
      '2026-03-02T00:00:00.000Z',
      { from: 22 * 60, until: 8 * 60 + 30 },
      'Asia/Tokyo',
      ['Yes', 'No'],
      Date.parse('2019-12-31T15:00:00Z'),
    ],
  );
  assert.equal(await outOf('templates', 'shop'), 'None.');
  const refused = (...options: string[]) =>
    run('send', 'create', 'shop', 'line', '--all', ...options).then(
      () => '',
      ({ message }: Error) => message,
    );
  assert.match(await refused('--text', 'Hi', '--quiet-hours', '22-8'), /time of day must have the form/);
  assert.match(await refused('--text', 'Hi', '--whatsapp-template', 'x'), /--whatsapp-language together/);
  assert.match(await refused('--template', 'A', '--quick-reply', 'x'), /has its own quick replies/);
  assert.match(await refused('--text', 'Hi', '--zone', 'Mars'), /must be a time zone/);
});
