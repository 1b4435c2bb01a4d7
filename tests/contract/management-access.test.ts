/**
 * The management API from an attacker's side, generated from its contract. Each operation is called with every kind of
 * insufficient credentials and with the ids of another bot. After all rejections the data is unchanged.
 */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { type AdminScope, adminScopes, createAdminToken } from '../../src/auth/admin-tokens.ts';
import { removeUser } from '../../src/auth/users.ts';
import type { Sql } from '../../src/database/client.ts';
import { minuteMs } from '../../src/time.ts';
import { parseYaml } from '../harness/yaml.ts';
import { addContact, good, ready, reportOf, successOf, ulidOf } from './management-calls.ts';
import { type Call, contract, operationOf, password, problemOf, sessionOnly } from './management-server.ts';

type DocumentedOperation = { operationId: string; security?: Record<string, string[]>[] };
const document = parseYaml(
  await readFile(new URL('../../contracts/management.yaml', import.meta.url), 'utf8'),
);
const documented = Object.values<Record<string, DocumentedOperation>>(document.paths).flatMap((item) =>
  Object.values(item).filter(({ operationId }) => operationId !== undefined),
);

const guarded = contract.operations.filter(({ scopes }) => scopes.length > 0);
/** Operations that a token may also call. */
const shared = guarded.filter(({ id }) => !sessionOnly.includes(id));

/** These sign in, so their callers have no credentials yet. */
const open: ReadonlySet<string> = new Set(['createSession', 'createFirstUser', 'acceptInvitation']);

test('every operation declares its scope, and only the calls that sign in declare none', () => {
  assert.equal(document.security, undefined, 'a default scope would allow an operation that declares none');
  assert.ok(documented.length > 80);
  for (const { operationId, security } of documented) {
    assert.ok(security, `${operationId} declares no security`);
    const scopes = security.flatMap((schemes) => Object.values(schemes).flat());
    if (open.has(operationId)) assert.deepEqual(security, []);
    else {
      assert.equal(scopes.length, 1, operationId);
      assert.ok(adminScopes.includes(scopes[0] as AdminScope), operationId);
    }
  }
  const changing = contract.operations.filter(
    ({ method, scopes }) => method !== 'GET' && scopes[0] === 'read',
  );
  assert.deepEqual(
    changing.map(({ id }) => id),
    ['deleteSession', 'changeOwnPassword', 'updateOwnAccount', 'endOtherSessions', 'endOwnSession'],
  );
});

test('an operation without a declared scope stops the server', async () => {
  const { readContract } = await import('../../src/http/contract.ts');
  const { scopeOf } = await import('../../src/api/management/router.ts');
  const { operations } = await readContract(new URL('../../contracts/management.yaml', import.meta.url));
  for (const operation of operations) {
    if (open.has(operation.id)) continue;
    assert.throws(() => scopeOf({ ...operation, scopes: [] }), /differ about its scope/, operation.id);
  }
});

test('every operation rejects missing, expired and insufficient credentials, and a cookie alone', async () => {
  const { server, ids } = await ready();
  const { sql, now } = server;
  const making = { now, random: randomBytes };
  const short = { name: '', scope: 'admin', botIds: null, expiresAt: now + minuteMs } as const;
  const expired = await createAdminToken(sql, short, making);
  const ofExpired = await server.session({ tokenId: expired.tokenId });
  const removedUser = await server.addUser({ scope: 'admin' });
  const ofRemovedUser = await server.session({ userId: removedUser.userId });
  const live = await server.session({ userId: (await server.addUser({ scope: 'admin' })).userId });
  const otherLive = await server.session({ userId: (await server.addUser({ scope: 'admin' })).userId });
  const byScope = await Promise.all(
    adminScopes.map(async (scope) => ({
      scope,
      token: (await server.addToken(scope)).token,
      session: await server.session({ userId: (await server.addUser({ scope })).userId }),
    })),
  );
  const otherId = await server.addBot();
  const foreign = await server.addToken('admin', [otherId]);
  const target = await server.addUser();
  const params = { ...ids, userId: target.userId };
  await removeUser(sql, removedUser.userId);
  server.now += minuteMs;
  const before = await digestsOf(sql);

  const refused = async (id: string, status: number, code: string, call: Call) => {
    const request = { ...bodyOf(id, ids), ...call, headers: { ...bodyOf(id, ids).headers, ...call.headers } };
    const answer = await server.call(id, { ...request, params: { ...params, ...call.params } });
    assert.deepEqual(problemOf(answer).slice(0, 2), [status, code], `${id}: ${JSON.stringify(call)}`);
  };
  for (const { id, method, scopes } of guarded) {
    const needed = adminScopes.indexOf(scopes[0] as AdminScope);
    await refused(id, 401, 'TOKEN_INVALID', { token: null });
    await refused(id, 401, 'TOKEN_INVALID', bearer(expired.token));
    await refused(id, 401, 'SESSION_INVALID', { token: null, headers: ofExpired });
    await refused(id, 401, 'SESSION_INVALID', { token: null, headers: ofRemovedUser });
    if (method === 'GET') {
      const url = operationOf(id).path.replace(/\{(\w+)\}/g, (_, name: keyof typeof params) => params[name]);
      assert.equal((await server.app.inject({ method: 'HEAD', url })).statusCode, 401, `HEAD ${id}`);
    } else {
      const { cookie } = live;
      for (const token of ['', live['x-csrf-token'].slice(1), otherLive['x-csrf-token']])
        await refused(id, 403, 'CSRF_TOKEN_INVALID', {
          token: null,
          headers: { cookie, 'x-csrf-token': token },
        });
      await refused(id, 403, 'CSRF_TOKEN_INVALID', { token: null, headers: { cookie } });
    }
    if (sessionOnly.includes(id)) continue;
    for (const { scope, token, session } of byScope) {
      if (adminScopes.indexOf(scope) >= needed) continue;
      await refused(id, 403, 'SCOPE_TOO_SMALL', bearer(token));
      await refused(id, 403, 'SCOPE_TOO_SMALL', { token: null, headers: session });
    }
    if (operationOf(id).path.includes('{botId}'))
      await refused(id, 404, 'BOT_NOT_FOUND', bearer(foreign.token));
  }
  assert.deepEqual(await digestsOf(sql), before);
});

/** Operations without a bot id, and their response to a caller for one bot: that bot's data only, or a rejection. */
const withoutBot: Record<string, [status: number, code: string | undefined]> = {
  listBots: [200, undefined],
  createBot: [403, 'SCOPE_TOO_SMALL'],
  getOwnToken: [200, undefined],
  listAdminTokens: [200, undefined],
  createAdminToken: [403, 'SCOPE_TOO_SMALL'],
  revokeAdminToken: [404, 'ADMIN_TOKEN_NOT_FOUND'],
  listUsers: [200, undefined],
  listInvitations: [200, undefined],
  createInvitation: [403, 'SCOPE_TOO_SMALL'],
  removeInvitation: [404, 'INVITATION_NOT_FOUND'],
  createUser: [403, 'SCOPE_TOO_SMALL'],
  listAuditEntries: [200, undefined],
  exportAuditEntries: [200, undefined],
  updateUser: [404, 'USER_NOT_FOUND'],
  removeUser: [404, 'USER_NOT_FOUND'],
  listMailReports: [200, undefined],
  createMailReport: [404, 'BOT_NOT_FOUND'],
  getMailReport: [404, 'MAIL_REPORT_NOT_FOUND'],
  replaceMailReport: [404, 'MAIL_REPORT_NOT_FOUND'],
  deleteMailReport: [404, 'MAIL_REPORT_NOT_FOUND'],
  previewMailReport: [404, 'MAIL_REPORT_NOT_FOUND'],
  sendMailReport: [404, 'MAIL_REPORT_NOT_FOUND'],
};

test('a caller for one bot cannot reach another bot by any operation or id', async () => {
  const { server, ids, botId } = await ready();
  const otherId = await server.addBot();
  const { token, tokenId } = await server.addToken('admin', [otherId]);
  const target = await server.addUser({ botId });
  const params = { ...ids, userId: target.userId };
  const before = await digestsOf(server.sql, botId);

  const general = shared.filter(({ path }) => !path.includes('{botId}'));
  assert.deepEqual(general.map(({ id }) => id).sort(), Object.keys(withoutBot).sort());
  for (const { id } of general) {
    const { status, body, text } = await server.call(id, { ...bodyOf(id, ids), token, params });
    assert.deepEqual([status, body.code], withoutBot[id], id);
    for (const secret of [botId, target.userId, ids.tokenId])
      assert.ok(status !== 200 || !text.includes(`"${secret}"`), id);
  }
  const { body: own } = await server.call('listAdminTokens', { token });
  assert.deepEqual(
    (own.adminTokens as { tokenId: string }[]).map((one) => one.tokenId),
    [tokenId],
  );

  // The caller's own bot in the path, and ids of the other bot in every other parameter.
  for (const { id, path } of shared.filter(({ path }) => path.includes('{botId}'))) {
    const call = { ...bodyOf(id, ids), token, params: { ...params, botId: otherId } };
    const { status, text } = await server.call(id, call);
    const namesPart = [...path.matchAll(/\{(\w+)\}/g)].some(([, name = '']) => name in params);
    if (namesPart) assert.equal(status, 404, `${id}: ${status} ${text}`);
    for (const secret of [ids.contactId, ids.tagId, ids.noticeId, ids.lineTokenId, ids.visitorId])
      assert.ok(status >= 400 || !text.includes(`"${secret}"`), id);
  }
  const contact = await addContact({ ...server, botId: otherId }, 'P-other');
  const tag = await server.call('createTag', {
    body: { kind: 'manual', name: 'Own' },
    params: { botId: otherId },
  });
  const mixed = { botId: otherId, contactId: contact.contactId, tagId: String(tag.body.tagId) };
  for (const [id, body] of [
    ['assignTag', { contacts: [ids.contactId] }],
    ['unassignTag', { contacts: [ids.contactId] }],
    ['earnManyPoints', { earnings: [{ contact: ids.contactId, amount: 5 }] }],
    ['transferPoints', { toContactId: ids.contactId, amount: 5 }],
    ['reversePoints', { entryId: ids.entryId }],
  ] as const) {
    const headers = { 'idempotency-key': 'foreign' };
    const answer = await server.call(id, { token, body, headers, params: mixed });
    assert.equal(answer.status, 404, `${id}: ${answer.text}`);
  }
  assert.deepEqual(await digestsOf(server.sql, botId), before);
});

test('each valid call of the sweep succeeds with the scope that it declares', async () => {
  const { call } = await ready();
  for (const { id } of guarded) assert.equal((await call(id)).status, successOf(id), id);
});

/** Only the session's own operations accept a cookie alone, so a token goes into a header. */
function bearer(token: string): Call {
  return { token: null, headers: { authorization: `Bearer ${token}`, cookie: '' } };
}

/** A body with which the operation would succeed, so that only the credentials can cause a rejection. */
function bodyOf(id: string, ids: { contactId: string; entryId: string }): Call {
  const bodies: Record<string, Record<string, unknown>> = {
    createTag: { kind: 'manual', name: 'Sweep' },
    updateTag: { name: 'Swept' },
    transferPoints: { toContactId: ids.contactId, amount: 5 },
    reversePoints: { entryId: ids.entryId },
    createUser: { name: 'Sweep', scope: 'read', password },
    createMailReport: reportOf('unknown'),
    replaceMailReport: reportOf('unknown'),
    sendChatMessage: { messageId: ulidOf(1), text: 'hello' },
  };
  const image: Call = {
    ...{ body: 'GIF89a', query: { messageId: ulidOf(2) }, headers: { 'content-type': 'image/gif' } },
  };
  const { headers, ...call } = id === 'sendChatImage' ? image : (good[id] ?? {});
  return {
    ...call,
    ...(bodies[id] ? { body: bodies[id] } : {}),
    headers: { 'idempotency-key': 'sweep', ...headers },
  };
}

/** A digest of the rows of each table, for one bot or all, without the columns for the last use by callers. */
async function digestsOf(sql: Sql, botId?: string): Promise<Record<string, string>> {
  const tables = await sql<{ name: string; hasBot: boolean }[]>`
    select table_name as name, bool_or(column_name = 'bot_id') as "hasBot" from information_schema.columns
    join information_schema.tables using (table_schema, table_name)
    where table_schema = 'public' and table_type = 'BASE TABLE' group by table_name order by table_name`;
  const digests: Record<string, string> = {};
  for (const { name, hasBot } of tables) {
    if (botId !== undefined && !hasBot) continue;
    const [row] = await sql<{ digest: string }[]>`
      select md5(coalesce(string_agg((to_jsonb(r) - 'last_used_at' - 'seen_at')::text, '|'
        order by (to_jsonb(r) - 'last_used_at' - 'seen_at')::text), '')) as digest
      from ${sql(name)} r ${botId === undefined ? sql`` : sql`where bot_id = ${botId}`}`;
    digests[name] = row?.digest ?? '';
  }
  return digests;
}
