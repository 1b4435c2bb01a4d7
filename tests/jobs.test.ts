/**
 * Jobs: erasures and replays that take several steps, killed and stopped in between.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { register } from '../src/cli/job.ts';
import { createContacts, findContacts } from '../src/contacts/contacts.ts';
import type { Sql } from '../src/database/client.ts';
import { connect } from '../src/database/pool.ts';
import { purgeDeliveries } from '../src/inbox/deliveries.ts';
import { indexedDeliveries, indexPeople } from '../src/inbox/delivery-people.ts';
import { lastPending } from '../src/inbox/pending.ts';
import {
  findJob,
  type JobOptions,
  listJobs,
  purgeJobs,
  runJob,
  runJobWithinCall,
  startForgetting,
  startReplay,
  stepAnyJob,
  stepJob,
  stopJob,
} from '../src/jobs/jobs.ts';
import { dayMs, hourMs } from '../src/time.ts';
import { commandRunner } from './harness/command.ts';
import { testDatabase } from './harness/database.ts';
import { seededBytes } from './harness/random.ts';
import { testServer } from './harness/server.ts';
import { lineUser } from './properties/bodies.ts';

const now = Date.parse('2026-12-01T00:00:00Z');
const options: JobOptions = { clock: () => now, random: seededBytes(3) };
const botId = 'shop';
const one = { platform: 'line' as const, ids: [lineUser(1)] };

/** A bot with folded deliveries of many people; every fourth delivery names the first person. */
async function shop(t: TestContext, count: number) {
  const { sql } = await testDatabase(t);
  await sql`insert into bots (bot_id, name) values (${botId}, 'Shop')`;
  await sql`insert into channels (bot_id, platform, secret_sealed) values (${botId}, 'line', '')`;
  await sql`
    insert into deliveries (bot_id, platform, source, received_at, body)
    select ${botId}, 'line', 'webhook', ${new Date(now - hourMs)}, convert_to(json_build_object('destination', 'U0', 'events',
      json_build_array(json_build_object('type', 'follow', 'webhookEventId', 'e' || number, 'timestamp', 1772434837000,
        'source', json_build_object('type', 'user', 'userId',
          'U' || lpad((case when number % 4 = 0 then 1 else number end)::text, 32, 'a')))))::text, 'UTF8')
    from generate_series(2, ${count + 1}::integer) number`;
  await createContacts(sql, botId, 'line', one.ids, { now, random: options.random });
  const contactId = (await findContacts(sql, botId, 'line', one.ids)).get(lineUser(1)) ?? '';
  return { sql, contactId };
}

async function naming(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::integer as count from deliveries where position(convert_to(${lineUser(1)}, 'UTF8') in body) > 0`;
  return row?.count ?? 0;
}

test('a call ends in time while its job waits for another transaction, and the job goes on', async (t) => {
  const { sql, contactId } = await shop(t, 10);
  const job = await startForgetting(sql, { botId, contactId }, options);
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const holding = sql.begin(async (tx) => {
    await tx`lock table contacts in access exclusive mode`;
    held.resolve();
    await released;
  });
  await held.promise;
  let hasWaited = false;
  const late = setTimeout(() => {
    hasWaited = true;
    release();
  }, 15_000);
  const { state } = await runJobWithinCall(sql, job, options);
  clearTimeout(late);
  assert.deepEqual({ state, hasWaited }, { state: 'running', hasWaited: false });
  release();
  await holding;
  assert.equal((await runJob(sql, job, options)).state, 'done');
});

test('a person is deleted in bounded steps, with or without an index', async (t) => {
  const { sql, contactId } = await shop(t, 6_000);
  await indexPeople(sql, botId, { now });
  const job = await startForgetting(sql, { botId, contactId }, options);
  assert.deepEqual([job.state, job.done, job.total], ['running', 0, 5_750]);
  let steps = 0;
  const ended = await runJob(sql, job, options, {
    onStep({ done, total }) {
      steps += 1;
      assert.ok(done <= total);
    },
  });
  assert.equal(ended.state, 'done');
  assert.ok(steps >= 4, String(steps));
  assert.deepEqual([await naming(sql), await indexedDeliveries(sql, botId, one)], [0, []]);
  const [row] = await sql`
    select count(*)::integer as all, (count(*) filter (where position('"events":[]'::bytea in body) > 0))::integer as emptied
    from deliveries`;
  assert.deepEqual({ ...row }, { all: 6_000, emptied: 1_500 });
  assert.equal((await findContacts(sql, botId, 'line', one.ids)).size, 0);
});

test('a killed step changes nothing, and another process continues', async (t) => {
  const { sql, contactId } = await shop(t, 8_000);
  const job = await startForgetting(sql, { botId, contactId }, options);
  for (let kill = 0; kill < 3; kill += 1) {
    await stepJob(sql, job, options);
    const before = await findJob(sql, job);
    const failing = { ...options, clock: failsAtThe(2) };
    await assert.rejects(stepJob(sql, job, failing), /killed/);
    const { updatedAt: _, ...after } = await findJob(sql, job);
    assert.deepEqual({ ...after, updatedAt: before.updatedAt }, before);
  }
  assert.equal((await runJob(sql, job, options)).state, 'done');
  assert.equal(await naming(sql), 0);
});

/** A clock that kills the process at one of its readings; a step reads it at its beginning and before its end. */
function failsAtThe(reading: number): () => number {
  let readings = 0;
  return () => {
    readings += 1;
    if (readings === reading) throw new Error('killed');
    return now;
  };
}

test('a replay processes the deliveries that were set aside at its start, and those set aside again wait', async (t) => {
  const { sql } = await shop(t, 2_500);
  await sql`update deliveries set set_aside_reason = 'a reason'`;
  const job = await startReplay(sql, botId, options);
  assert.equal(job.total, 2_500);
  await stepJob(sql, job, options);
  assert.deepEqual(
    [(await findJob(sql, job)).done, (await startReplay(sql, botId, options)).jobId],
    [1_000, job.jobId],
  );
  // Set aside again before the replay ends.
  await sql`delete from pending_bundles`;
  await sql`update deliveries set set_aside_reason = 'again' where set_aside_reason is null`;
  const ended = await runJob(sql, job, options);
  assert.deepEqual([ended.state, ended.done, ended.total], ['done', 2_500, 2_500]);
  const [left] =
    await sql`select count(*)::integer as count from deliveries where set_aside_reason is not null`;
  assert.equal(left?.count, 1_000);
  assert.ok((await lastPending(sql, botId)) > 0);
});

test('a stopped job stays stopped, and the same call starts another one', async (t) => {
  const { sql, contactId } = await shop(t, 6_000);
  const job = await startForgetting(sql, { botId, contactId }, options);
  await stepJob(sql, job, options);
  const stopped = await stopJob(sql, job, options);
  assert.deepEqual([stopped.state, stopped.endedAt?.getTime()], ['stopped', now]);
  assert.equal(await stepJob(sql, job, options), null);
  assert.equal(await stepAnyJob(sql, options, { failed: assert.ifError }), false);
  assert.equal((await findContacts(sql, botId, 'line', one.ids)).size, 1);
  const again = await startForgetting(sql, { botId, contactId }, options);
  assert.notEqual(again.jobId, job.jobId);
  while (await stepAnyJob(sql, options, { failed: assert.ifError }));
  assert.equal((await findJob(sql, again)).state, 'done');
  assert.deepEqual(
    (await listJobs(sql, botId, { limit: 9, beforeId: null })).map(({ state }) => state),
    ['done', 'stopped'],
  );
  await purgeJobs(sql, botId, { now: now + 31 * dayMs });
  await assert.rejects(findJob(sql, again), { code: 'JOB_NOT_FOUND' });
});

test('many people are deleted at once without exhausting the connections of their steps', async (t) => {
  const { sql } = await shop(t, 40);
  const ids = Array.from({ length: 30 }, (_, index) => lineUser(100 + index));
  await createContacts(sql, botId, 'line', ids, { now, random: options.random });
  const contactIds = [...(await findContacts(sql, botId, 'line', ids)).values()];
  const ended = await Promise.all(
    contactIds.map(async (contactId) =>
      runJob(sql, await startForgetting(sql, { botId, contactId }, options), options),
    ),
  );
  assert.ok(ended.every(({ state }) => state === 'done'));
  assert.equal((await findContacts(sql, botId, 'line', ids)).size, 0);
});

test('the index of a page is deleted with its last delivery', async (t) => {
  const { sql } = await shop(t, 1_000);
  for (let indexed = 1; indexed > 0; ) indexed = await indexPeople(sql, botId, { now });
  const pages = async () => (await sql`select from delivery_people`).length;
  assert.equal(await pages(), 4);
  await sql`update deliveries set set_aside_reason = 'kept' where delivery_id = (select min(delivery_id) from deliveries)`;
  await purgeDeliveries(sql, botId, { now: now + 31 * dayMs, retentionDays: 30 });
  assert.equal(await pages(), 1);
});

test('a failing step is retried after growing pauses of at most a minute, and other jobs continue', async (t) => {
  const { sql } = await shop(t, 10);
  await sql`update deliveries set set_aside_reason = 'a reason'`;
  const job = await startReplay(sql, botId, options);
  await sql`
    create function refuse() returns trigger language plpgsql as $$ begin raise exception 'secret'; end $$`;
  await sql`create trigger refuse before update on deliveries for each row execute function refuse()`;
  await sql`insert into bots (bot_id, name) values ('other', 'Other')`;
  let time = now;
  const timed = { ...options, clock: () => time };
  const reported: number[] = [];
  const step = () => stepAnyJob(sql, timed, { failed: (_, { attempts }) => reported.push(attempts) });
  const other = await startReplay(sql, 'other', { ...options, clock: () => now + 1 });
  assert.equal(await step(), true);
  assert.equal((await findJob(sql, other)).state, 'done');
  const pauses: number[] = [];
  for (let attempt = 1; attempt <= 8; attempt += 1) {
    if (attempt > 1) assert.equal(await step(), false);
    const { failure } = await findJob(sql, job);
    assert.equal(failure?.attempts, attempt);
    assert.equal(failure.message, 'PostgresError P0001; the log has the details');
    assert.equal(failure.failedAt.getTime(), time);
    pauses.push(failure.retryAt.getTime() - time);
    time = failure.retryAt.getTime() - 1;
    assert.equal(await step(), false);
    const [listed] = await listJobs(sql, botId, { limit: 1, beforeId: null });
    assert.deepEqual(listed?.failure, failure);
    time += 1;
  }
  assert.deepEqual(pauses, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  assert.deepEqual(reported, [1, 2, 3, 4, 5, 6, 7, 8]);
  await sql`drop trigger refuse on deliveries`;
  assert.equal(await step(), true);
  assert.equal((await findJob(sql, job)).failure, null);
});

test('another server and the command line show the failure of a job until it is stopped', async (t) => {
  const web = await testServer(t, { role: 'web' });
  const { sql } = web;
  const { botId } = await web.addBot();
  const token = await web.addToken();
  const job = await startReplay(sql, botId, options);
  const worker = connect(web.url, { max: 2, applicationName: 'worker' });
  t.after(() => worker.end());
  const failing = { ...options, clock: failsAtThe(2) };
  assert.equal(await stepAnyJob(worker, failing, { failed: () => undefined }), false);
  const call = async (path: string, method = 'GET') => {
    const headers = { authorization: `Bearer ${token}` };
    const answer = await fetch(`${web.address}/api/v1/bots/${botId}/jobs${path}`, { method, headers });
    return JSON.parse(await answer.text());
  };
  const failure = {
    message: 'Error; the log has the details',
    attempts: 1,
    failedAt: '2026-12-01T00:00:00.000Z',
    retryAt: '2026-12-01T00:00:01.000Z',
  };
  assert.deepEqual((await call(`/${job.jobId}`)).failure, failure);
  assert.deepEqual((await call('')).jobs[0].failure, failure);
  const run = commandRunner(sql, register, { now });
  assert.deepEqual(JSON.parse((await run('job', 'list', botId, '--json')).out).jobs[0].failure, failure);
  assert.match(
    (await run('job', 'list', botId)).out,
    /attempt 1 failed: Error; the log has the details; next attempt 2026-12-01T00:00:01\.000Z/,
  );
  assert.equal((await call(`/${job.jobId}/stop`, 'POST')).failure, null);
  assert.equal((await findJob(sql, job)).failure, null);
});
