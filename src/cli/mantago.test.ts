import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { commandRunner, temporaryFile } from '../../tests/harness/command.ts';
import {
  addTheirClients,
  givePoints,
  lineId,
  type MovingIn,
  movingIn,
  theirId,
} from '../../tests/harness/moving-in.ts';
import { readConfig } from '../config.ts';
import { findWatch } from '../mantago/watch-rows.ts';
import type { ShoalCommand } from './command.ts';
import type { Context } from './context.ts';
import { register } from './mantago.ts';

test('an import reads its pair from stdin, shows a summary, writes its report, and prints no secret', async (t) => {
  const world = await movingIn(t);
  const { botId, theirs, mantago } = world;
  await addTheirClients(world, { from: 0, to: 3 });
  mantago.behaviour.encodedMember = null;
  const run = mantagoRunner(world);
  const ids = await temporaryFile(t, `${theirId(2)}\n`);
  const options = ['--from', mantago.address, '--bot', theirs.botId, '--token', '-', '--secret', '-'];
  const { out, log } = await run('mantago', 'import', botId, ...options, '--ids', ids);
  assert.match(out, /^Import 1 from MantaGo\. It is complete\./);
  assert.match(
    out,
    /\n {2}clients read: 4\n {2}contacts added: 4\n {2}profiles changed: 4\n {2}customers bound: 1\n {2}old ids added: 1\n/,
  );
  assert.match(
    out,
    /\nNot brought over .*\n {2}1 × MantaGo does not say which clients have this personal tag/,
  );
  assert.ok(![out, ...log].some((text) => text.includes(theirs.apiToken) || text.includes(theirs.apiSecret)));
  assert.equal((await run('mantago', 'stop', botId)).out, out);
});

test('the report of an import is a CSV file', async (t) => {
  const world = await movingIn(t);
  const { sql, botId } = world;
  await addTheirClients(world, { from: 0, to: 0 });
  await world.start();
  await world.walk();
  const run = commandRunner(sql, register as never, { now: world.time.now });
  const path = await temporaryFile(t, '');
  assert.equal((await run('mantago', 'report', botId, '--out', path)).out, `1 rows written to ${path}.`);
  assert.match(await readFile(path, 'utf8'), /^reason,platform,subject,detail,meaning\npersonal-tag,,VIP,1,/);
  const status = await run('mantago', 'status', botId);
  assert.match(status.out, /It is complete.*\n {2}clients read: 1\n/);
});

test('a comparison exits with 1 beyond the tolerance, and the daily one is switched on and off', async (t) => {
  const world = await movingIn(t);
  const { sql, botId, theirs, server } = world;
  await addTheirClients(world, { from: 0, to: 3 });
  await world.start({ callsPerMinute: 6_000 });
  await world.walk();
  const run = mantagoRunner(world);
  const equal = await run('mantago', 'compare', botId, '--watch');
  assert.match(
    equal.out,
    /\nNo gap is larger than 1 %\.\nA running server repeats the comparison every day\.$/,
  );
  assert.notEqual(await findWatch(sql, botId), null);
  await givePoints(sql, theirs.botId, [{ contactId: theirId(0), amount: 1, key: 'more' }], server.now);
  const beyond = await run('mantago', 'compare', botId);
  const code = process.exitCode;
  process.exitCode = 0;
  assert.equal(code, 1);
  assert.match(beyond.out, /client\/point +points +10 +11 +-1 +9\.0909 +! points-since\n/);
  assert.match(
    beyond.out,
    new RegExp(`\\nline ${lineId(0)}: points is 1, at MantaGo 2\\.\\n2 of \\d+ figures`),
  );
  assert.equal((await run('mantago', 'compare', botId, '--no-watch')).out, 'The daily comparison is off.');
  assert.equal(await findWatch(sql, botId), null);
});

/** Runs commands with the clock going on and the pair on stdin. */
function mantagoRunner({ sql, server, theirs }: MovingIn) {
  const startedAt = performance.now();
  const add = (program: ShoalCommand, context: Partial<Context>) =>
    register(
      program,
      {
        ...context,
        clock: () => server.now + Math.round(performance.now() - startedAt),
        keys: async () => server.keys,
        config: () => ({ ...readConfig({}, {}), callbackPrivate: true, mantagoCallsPerMinute: 6_000 }),
      } as Context,
      async () => `${theirs.apiToken}\n${theirs.apiSecret}\n`,
    );
  return commandRunner(sql, add, { now: server.now });
}
