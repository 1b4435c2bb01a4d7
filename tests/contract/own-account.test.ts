/**
 * A user's own account: the name, the password and the sessions.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { managementServer, password, problemOf } from './management-server.ts';

type Session = { sessionId: string; browser: string | null; address: string | null; isCurrent: boolean };

test('a user sees where sessions began, and ends one or all others', async () => {
  const server = await managementServer();
  const { userId, name } = await server.addUser();
  const signIn = async (browser: string) => {
    const body = { userName: name, password };
    const answer = await server.call('createSession', {
      token: null,
      body,
      headers: { 'user-agent': browser },
    });
    const [cookie = ''] = String(answer.headers['set-cookie']).split(';');
    return { cookie, 'x-csrf-token': String(answer.body.csrfToken) };
  };
  const [first, second, third] = [await signIn('One'), await signIn('Two'), await signIn('Three')];
  const other = await server.session(await server.addUser());
  const list = async (headers: Record<string, string>) =>
    (await server.call('listOwnSessions', { token: null, headers })).body.sessions as Session[];
  const sessions = await list(first);
  assert.deepEqual(sessions.map(({ browser, address, isCurrent }) => [browser, address, isCurrent]).sort(), [
    ['One', '127.0.0.1', true],
    ['Three', '127.0.0.1', false],
    ['Two', '127.0.0.1', false],
  ]);
  const sessionId = sessions.find(({ browser }) => browser === 'Two')?.sessionId ?? '';
  const end = (headers: Record<string, string>) =>
    server.call('endOwnSession', { token: null, headers, params: { sessionId } });
  assert.deepEqual(problemOf(await end(other)).slice(0, 2), [404, 'SESSION_NOT_FOUND'], 'of another user');
  assert.equal((await list(second)).length, 3);
  assert.equal((await end(first)).status, 204);
  assert.equal((await server.call('getSession', { token: null, headers: second })).status, 401);
  assert.equal((await server.call('endOtherSessions', { token: null, headers: first })).status, 204);
  assert.equal((await server.call('getSession', { token: null, headers: third })).status, 401);
  assert.deepEqual(
    (await list(first)).map(({ browser }) => browser),
    ['One'],
  );
  assert.equal((await list(other)).length, 1);
  const [entry] = (await server.call('listAuditEntries', { query: { actorId: userId } })).body.entries as {
    operation: string;
  }[];
  assert.equal(entry?.operation, 'endOtherSessions');
});

test('a change of the own name needs the current password', async () => {
  const server = await managementServer();
  const user = await server.addUser();
  const headers = await server.session(user);
  const rename = (currentPassword: string) =>
    server.call('updateOwnAccount', {
      token: null,
      headers,
      body: { name: `${user.name} Hua`, currentPassword },
    });
  assert.deepEqual(problemOf(await rename('not the password')).slice(0, 2), [401, 'SIGN_IN_FAILED']);
  const { status, body } = await rename(password);
  assert.deepEqual([status, body.name], [200, `${user.name} Hua`]);
  assert.equal((await server.call('getSession', { token: null, headers })).status, 200);
});
