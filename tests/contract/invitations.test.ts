/**
 * Invitations, disabled users and the last administrator.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ManagementServer,
  managementServer,
  ownManagementServer,
  password,
  problemOf,
} from './management-server.ts';

const dayMs = 86_400_000;

async function invite(server: ManagementServer, body: object = { scope: 'write' }) {
  const { status, body: made } = await server.call('createInvitation', { body });
  assert.equal(status, 201);
  return { invitationId: String(made.invitationId), token: String(made.path).slice('/invitation#'.length) };
}

const accept = (server: ManagementServer, token: string, userName: string, word = password) =>
  server.call('acceptInvitation', { token: null, body: { token, userName, password: word } });

test('an invitation creates one user with its scope and bots, and signs in', async () => {
  const server = await managementServer();
  const botIds = [server.botId, await server.addBot()].sort();
  const { token } = await invite(server, { scope: 'write', botIds });
  const weak = await accept(server, token, 'invited', 'short');
  assert.deepEqual(problemOf(weak).slice(0, 2), [400, 'INPUT_INVALID']);
  const { status, body } = await accept(server, token, 'invited');
  assert.equal(status, 200);
  const { id, ...user } = body.user as Record<string, unknown>;
  assert.deepEqual(user, { kind: 'user', name: 'invited', scope: 'write', botIds });
  assert.deepEqual(problemOf(await accept(server, token, 'again')).slice(0, 2), [401, 'INVITATION_INVALID']);
  const log = await server.call('listAuditEntries', { query: { subjectId: String(id) } });
  const [entry] = log.body.entries as { operation: string; actor: { kind: string } }[];
  assert.deepEqual([entry?.operation, entry?.actor.kind], ['acceptInvitation', 'link']);
});

test('an expired or withdrawn invitation creates no user', async () => {
  const server = await managementServer();
  const withdrawn = await invite(server);
  const params = { invitationId: withdrawn.invitationId };
  assert.equal((await server.call('removeInvitation', { params })).status, 204);
  const expired = await invite(server, { scope: 'read', days: 2 });
  server.now += 2 * dayMs;
  for (const { token } of [withdrawn, expired])
    assert.deepEqual(problemOf(await accept(server, token, 'late')).slice(0, 2), [401, 'INVITATION_INVALID']);
  const { body } = await server.call('listInvitations');
  assert.deepEqual(body.invitations, []);
});

test('the invitations of a user end when the user is removed, disabled or gets other rights', async () => {
  const server = await managementServer();
  await server.addUser({ scope: 'admin' });
  for (const [id, body] of [
    ['removeUser', undefined],
    ['updateUser', { disabled: true }],
    ['updateUser', { scope: 'read' }],
  ] as const) {
    const user = await server.addUser({ scope: 'admin' });
    const headers = await server.session(user);
    const { body: made } = await server.call('createInvitation', {
      ...{ token: null, headers, body: { scope: 'admin' } },
    });
    const params = { userId: user.userId };
    await server.call('updateUser', { params, body: { name: `${user.name} renamed` } });
    assert.ok((await server.call(id, { params, body })).status < 300, id);
    const answer = await accept(server, String(made.path).slice('/invitation#'.length), 'returned');
    assert.deepEqual(problemOf(answer).slice(0, 2), [401, 'INVITATION_INVALID'], id);
  }
});

test('the invitations of an admin token end with the token', async () => {
  const server = await managementServer();
  const { token, tokenId } = await server.addToken('admin');
  const { body } = await server.call('createInvitation', { token, body: { scope: 'admin' } });
  await server.call('revokeAdminToken', { params: { tokenId } });
  const answer = await accept(server, String(body.path).slice('/invitation#'.length), 'returned');
  assert.deepEqual(problemOf(answer).slice(0, 2), [401, 'INVITATION_INVALID']);
});

test('an administrator of one bot invites for this bot only', async () => {
  const server = await managementServer();
  const { token } = await server.addToken('admin', [server.botId]);
  const create = (body: object) => server.call('createInvitation', { token, body });
  assert.equal((await create({ scope: 'admin' })).status, 403);
  assert.equal((await create({ scope: 'admin', botIds: [await server.addBot()] })).status, 404);
  assert.equal((await create({ scope: 'admin', botIds: [server.botId] })).status, 201);
  const foreign = await invite(server);
  const removal = await server.call('removeInvitation', {
    token,
    params: { invitationId: foreign.invitationId },
  });
  assert.equal(removal.status, 404);
});

test('a disabled user has no session and cannot sign in until it is enabled', async () => {
  const server = await managementServer();
  const user = await server.addUser();
  const headers = await server.session(user);
  const set = (disabled: boolean) =>
    server.call('updateUser', { params: { userId: user.userId }, body: { disabled } });
  const signIn = async () =>
    (await server.call('createSession', { token: null, body: { userName: user.name, password } })).status;
  assert.equal((await set(true)).status, 200);
  assert.equal((await server.call('getSession', { token: null, headers })).status, 401);
  assert.equal(await signIn(), 401);
  assert.equal((await set(false)).status, 200);
  assert.equal(await signIn(), 200);
});

test('the last administrator cannot be removed, disabled or demoted', async (t) => {
  const server = await ownManagementServer(t);
  const admins = [await server.addUser({ scope: 'admin' }), await server.addUser({ scope: 'admin' })];
  const [one, other] = admins.map(({ userId }) => ({ userId }));
  assert.ok(one && other);
  assert.equal((await server.call('updateUser', { params: one, body: { scope: 'write' } })).status, 200);
  const isRefused = async (id: string, body?: object) =>
    assert.deepEqual(
      problemOf(await server.call(id, { params: other, body })).slice(0, 2),
      [409, 'LAST_ADMIN'],
      id,
    );
  await isRefused('removeUser');
  await isRefused('updateUser', { disabled: true });
  await isRefused('updateUser', { scope: 'write' });
  await isRefused('updateUser', { botIds: [server.botId] });
  assert.equal((await server.call('updateUser', { params: one, body: { scope: 'admin' } })).status, 200);
  const both = await Promise.all(
    [one, other].map((params) => server.call('updateUser', { params, body: { disabled: true } })),
  );
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 409]);
});
