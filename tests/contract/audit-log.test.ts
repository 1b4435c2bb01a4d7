/**
 * The audit log: every changing operation and command declares its entry, and the entry commits with the change.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { auditOf } from '../../src/api/management/audits.ts';
import { changeOf } from '../../src/audit/subjects.ts';
import { lockBot } from '../../src/bots/bots.ts';
import { until } from '../harness/until.ts';
import { ready } from './management-calls.ts';
import {
  type Answer,
  type Call,
  contract,
  managementServer,
  ownManagementServer,
  password,
} from './management-server.ts';

type Entry = Record<
  'operation' | 'origin' | 'subjectKind' | 'subjectId' | 'address' | 'botId',
  string | null
> & {
  entryId: number;
  actor: { kind: string; id: string | null; name: string };
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
};

/** Calls that change something, where the usual one repeats a setting. */
const changing: Record<string, Call> = {
  setChannel: { body: { secret: 'another' } },
  updateUser: { body: { scope: 'write' } },
};

test('every changing operation writes one entry or declares that it writes none', async () => {
  const { call, sql, token } = await ready();
  const secrets = [token, password, 'hush'];
  // A channel is disabled before it is enabled.
  const operations = contract.operations.toSorted(
    (a, b) => Number(a.id === 'enableChannel') - Number(b.id === 'enableChannel'),
  );
  for (const operation of operations) {
    const audit = auditOf(operation);
    if (operation.method === 'GET') continue;
    const [before] = await sql<
      { last: number }[]
    >`select coalesce(max(entry_id), 0) as last from audit_entries`;
    const { status } = await call(operation.id, changing[operation.id]);
    assert.ok(status < 300, `${operation.id}: ${status}`);
    const entries = await sql<{ operation: string; subject: string | null; text: string }[]>`
      select operation, subject_kind as subject, audit_entries::text as text from audit_entries
      where entry_id > ${before?.last ?? 0}`;
    assert.deepEqual(
      entries.map((entry) => entry.operation),
      audit === null ? [] : [operation.id],
      operation.id,
    );
    for (const { text } of entries)
      for (const secret of secrets) assert.ok(!text.includes(secret), `${operation.id}: ${text}`);
  }
});

test('a changing operation without a declaration stops the start', () => {
  assert.throws(
    () => auditOf({ id: 'createWorld', method: 'POST' }),
    /createWorld changes data and does not declare/,
  );
});

test('a change whose entry cannot be written is rolled back', async (t) => {
  const { sql, call } = await ownManagementServer(t);
  await sql`alter table audit_entries rename to hidden_entries`;
  const answer = await call('createTag', { body: { kind: 'manual', name: 'VIP' } });
  assert.equal(answer.status, 500);
  assert.deepEqual([...(await sql`select name from tags`)], []);
});

test('a change locks the bot before the row that it compares, as every other change does', async () => {
  const { sql, call, botId } = await managementServer();
  const { tagId } = (await call('createTag', { body: { kind: 'manual', name: 'VIP' } })).body;
  const answers: Promise<Answer>[] = [];
  await sql.begin(async (tx) => {
    await lockBot(tx, botId);
    answers.push(call('updateTag', { params: { tagId: String(tagId) }, body: { name: 'Guest' } }));
    await until(async () => (await sql`select from pg_locks where not granted`).length > 0);
    await tx`update tags set confidence = confidence where bot_id = ${botId}`;
  });
  assert.equal((await answers[0])?.status, 200);
});

test('an entry has the actor, the address and the changed members, and secrets are masked', async () => {
  const server = await managementServer();
  const admin = await server.addUser({ name: 'Ming', scope: 'admin' });
  const user = await server.addUser({ name: 'Hua', scope: 'read' });
  const headers = await server.session(admin);
  const changes = { scope: 'write', password: `${password} again` };
  await server.call('updateUser', { token: null, headers, params: user, body: changes });
  await server.call('updateUser', { token: null, headers, params: user, body: { scope: 'write' } });
  const answer = await server.call('listAuditEntries', { query: { subjectId: user.userId } });
  const [entry, ...more] = entriesOf(answer);
  assert.deepEqual(more, [], 'a call that changes nothing has no entry');
  assert.deepEqual(
    [entry?.operation, entry?.origin, entry?.actor, entry?.address, entry?.subjectKind],
    ['updateUser', 'dashboard', { kind: 'user', id: admin.userId, name: 'Ming' }, '127.0.0.1', 'user'],
  );
  assert.deepEqual(entry?.before, { scope: 'read', password_hash: '•••' });
  assert.deepEqual(entry?.after, { scope: 'write', password_hash: '••• (new)' });
});

test('entries come in pages, by filter and as files, for the bots of the caller only', async () => {
  const server = await managementServer();
  const { botId } = server;
  const otherId = await server.addBot();
  for (const name of ['A', 'B', '=C']) await server.call('createTag', { body: { kind: 'manual', name } });
  await server.call('createTag', { body: { kind: 'manual', name: 'D' }, params: { botId: otherId } });
  const first = await server.call('listAuditEntries', { query: { botId, limit: '2' } });
  const second = await server.call('listAuditEntries', {
    query: { botId, limit: '2', cursor: String(first.body.nextCursor) },
  });
  const names = [...entriesOf(first), ...entriesOf(second)].map(({ after }) => after?.name);
  assert.deepEqual(names, ['=C', 'B', 'A']);

  const { token } = await server.addToken('admin', [otherId]);
  const own = entriesOf(await server.call('listAuditEntries', { token }));
  assert.deepEqual(
    own.map((entry) => entry.botId),
    [otherId],
  );
  assert.equal((await server.call('listAuditEntries', { token, query: { botId } })).status, 404);
  const later = new Date(server.now + 1).toISOString();
  assert.deepEqual(entriesOf(await server.call('listAuditEntries', { query: { botId, from: later } })), []);

  const file = async (format: string) =>
    (
      await server.app.inject({
        url: '/api/v1/audit-log/export',
        query: { format, botId },
        headers: { authorization: `Bearer ${server.token}` },
      })
    ).body
      .trimEnd()
      .split('\n');
  const lines = await file('csv');
  assert.equal(lines.length, 4);
  assert.match(lines[0] ?? '', /^entryId,happenedAt,origin,/);
  assert.match(lines[1] ?? '', /,createTag,/);
  assert.equal(
    (await file('ndjson')).map((line) => JSON.parse(line).operation).join(),
    'createTag,createTag,createTag',
  );
});

test('a new column of settings is masked until it is listed', () => {
  const change = changeOf('user', { name: 'A', pin: 1 }, { name: 'A', pin: 2 });
  assert.deepEqual(change, { before: { pin: '•••' }, after: { pin: '••• (new)' } });
  assert.equal(changeOf('user', { name: 'A', last_sign_in_at: 1 }, { name: 'A', last_sign_in_at: 2 }), null);
});

test('an entry is never updated, and old ones are deleted', async (t) => {
  const { purgeAudit } = await import('../../src/audit/entries.ts');
  const server = await ownManagementServer(t);
  const { sql, now } = server;
  await server.call('createTag', { body: { kind: 'manual', name: 'VIP' } });
  await sql`update audit_entries set actor_name = ${randomBytes(4).toString('hex')}`;
  const name = async () =>
    (await sql<{ name: string }[]>`select actor_name as name from audit_entries`)[0]?.name;
  assert.equal(await name(), 'admin of a test');
  const day = 86_400_000;
  await purgeAudit(sql, { now: now + 9 * day, auditDays: 10, isStopped: () => false });
  assert.equal(await name(), 'admin of a test');
  await purgeAudit(sql, { now: now + 11 * day, auditDays: 10, isStopped: () => false });
  assert.equal(await name(), undefined);
});

function entriesOf({ body }: Answer): Entry[] {
  return body.entries as Entry[];
}
