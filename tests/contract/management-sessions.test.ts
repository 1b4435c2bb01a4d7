/**
 * Sessions of the management API: access by cookie, CSRF token, scope and bot; the beginning and end of a session; and
 * responses that reveal nothing to an attacker who guesses.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { readSocketCaller } from '../../src/api/management/callers.ts';
import { readSessionCookie } from '../../src/api/management/session-cookie.ts';
import { adminScopes } from '../../src/auth/admin-tokens.ts';
import { Passwords, usualCost } from '../../src/auth/passwords.ts';
import { purgeSessions } from '../../src/auth/sessions.ts';
import { dayMs, hourMs, minuteMs, secondMs } from '../../src/time.ts';
import { databaseEnvironment, serve, shoal } from '../harness/cli.ts';
import {
  type Answer,
  type Call,
  contract,
  type ManagementServer,
  operationOf,
  ownManagementServer,
  password,
  problemOf,
  sessionOnly,
} from './management-server.ts';

const signIn = (
  server: ManagementServer,
  body: Record<string, unknown>,
  headers: Record<string, string> = {},
) => server.call('createSession', { token: null, body, headers });

/** The headers that a browser sends after this response. */
function browserOf({ headers, body }: Answer): { cookie: string; 'x-csrf-token': string } {
  const [cookie = ''] = String(headers['set-cookie']).split(';');
  return { cookie, 'x-csrf-token': String(body.csrfToken) };
}

async function signedIn(server: ManagementServer, user: Parameters<ManagementServer['addUser']>[0] = {}) {
  const account = await server.addUser(user);
  const answer = await signIn(server, { userName: account.name, password });
  assert.equal(answer.status, 200, answer.text);
  return { ...account, answer, browser: browserOf(answer) };
}

const with_ = (headers: Record<string, string>, call: Call = {}): Call => ({ ...call, token: null, headers });

test('signing in sets an HttpOnly, SameSite cookie that is not in the response body', async (t) => {
  const server = await ownManagementServer(t);
  const { userId, name, answer, browser } = await signedIn(server, {
    name: 'Ming',
    scope: 'write',
    botId: server.botId,
  });
  assert.match(
    String(answer.headers['set-cookie']),
    /^shoal_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/,
  );
  const account = { kind: 'user', id: userId, name: 'Ming' };
  assert.deepEqual(answer.body.user, { ...account, scope: 'write', botIds: [server.botId] });
  assert.equal(answer.body.expiresAt, new Date(server.now + 12 * hourMs).toISOString());
  assert.equal(answer.headers['cache-control'], 'no-store');
  const token = browser.cookie.replace('shoal_session=', '');
  assert.equal(answer.text.includes(token), false);

  const again = await server.call('getSession', with_({ cookie: browser.cookie }));
  assert.deepEqual(again.body, answer.body);
  assert.equal(again.headers['set-cookie'], undefined);

  const userName = name.toUpperCase();
  for (const headers of [{ origin: 'https://shoal.example' }, { 'x-forwarded-proto': 'https' }]) {
    const secure = await signIn(server, { userName, password }, headers);
    assert.match(
      String(secure.headers['set-cookie']),
      /^__Host-shoal_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/,
    );
    const held = browserOf(secure);
    assert.equal((await server.call('getSession', with_({ cookie: held.cookie }))).status, 200);
    const out = await server.call('deleteSession', with_({ ...held, ...headers }));
    assert.equal(
      out.headers['set-cookie'],
      '__Host-shoal_session=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict; Secure',
    );
  }
  const plain = await signIn(server, { userName, password }, { origin: 'http://127.0.0.1:8080' });
  assert.doesNotMatch(String(plain.headers['set-cookie']), /Secure/);
  const [row] = await server.sql<{ text: string }[]>`
    select string_agg(s::text || u::text, '') as text from sessions s join users u using (user_id)`;
  assert.equal(row?.text.includes(token), false);
  const { body } = await server.call('listUsers');
  assert.equal(
    (body.users as { lastSignInAt: string }[])[0]?.lastSignInAt,
    new Date(server.now).toISOString(),
  );
});

test('a cookie set by another host of the domain never takes precedence', async () => {
  const cookieIn = (cookie: string, protocol: 'http' | 'https' = 'http') =>
    readSessionCookie({ headers: { cookie }, protocol });
  assert.equal(cookieIn('shoal_session=planted; __Host-shoal_session=own'), 'own');
  assert.equal(cookieIn('a=b; __Host-shoal_session=own; shoal_session=planted', 'https'), 'own');
  assert.equal(cookieIn('shoal_session=planted', 'https'), null);
  assert.equal(cookieIn('shoal_session=own'), 'own');
  assert.equal(cookieIn('x__Host-shoal_session=planted; not_shoal_session=planted'), null);
  assert.equal(readSessionCookie({ headers: {}, protocol: 'http' }), null);
});

test('with the cookie every change needs the CSRF token of the same session, and reads do not', async (t) => {
  const server = await ownManagementServer(t);
  const { browser } = await signedIn(server, { scope: 'admin' });
  const { browser: other } = await signedIn(server, { scope: 'admin' });
  const { cookie, 'x-csrf-token': csrf } = browser;
  const detail = 'The header X-CSRF-Token must be the csrfToken of the session.';
  const wrongs = [undefined, '', 'x', `${csrf}x`, csrf.toLowerCase(), other['x-csrf-token']];
  for (const { id, method, scopes } of contract.operations) {
    if (scopes.length === 0) continue;
    for (const wrong of method === 'GET' ? [undefined] : wrongs) {
      const answer = await server.call(
        id,
        with_(wrong === undefined ? { cookie } : { cookie, 'x-csrf-token': wrong }),
      );
      if (method === 'GET') assert.notEqual(answer.status, 403, id);
      else assert.deepEqual(problemOf(answer), [403, 'CSRF_TOKEN_INVALID', detail], id);
    }
    // The right token passes this check; the call may fail later for another reason.
    if (sessionOnly.includes(id)) continue;
    assert.notEqual((await server.call(id, with_(browser))).body.code, 'CSRF_TOKEN_INVALID', id);
  }
  assert.equal((await server.call('getSession', with_(browser))).status, 200);
  assert.equal((await server.sql`select from bots`).length, 1);
});

test('a session has exactly the scope and the bots of its user or token', async (t) => {
  const server = await ownManagementServer(t);
  const otherId = await server.addBot();
  for (const scope of adminScopes) {
    for (const botId of scope === 'write' ? [server.botId] : [null, server.botId]) {
      const { token, tokenId } = await server.addToken(scope, botId === null ? null : [botId]);
      const byToken = await signIn(server, { token });
      const account = { kind: 'token', id: tokenId, name: `${scope} of a test` };
      assert.deepEqual(byToken.body.user, { ...account, scope, botIds: botId && [botId] });
      const { browser: byUser } = await signedIn(server, { scope, botId });
      for (const browser of [browserOf(byToken), byUser]) {
        for (const { id, scopes } of contract.operations) {
          if (scopes.length === 0 || sessionOnly.includes(id)) continue;
          const isEnough =
            adminScopes.indexOf(scope) >= ['read', 'write', 'admin'].indexOf(String(scopes[0]));
          const { status, body } = await server.call(id, with_(browser, { params: { botId: otherId } }));
          if (!isEnough) assert.deepEqual([status, body.code], [403, 'SCOPE_TOO_SMALL'], `${id} ${scope}`);
          else assert.notEqual(body.code, 'CSRF_TOKEN_INVALID', id);
          if (isEnough && botId !== null && status === 200)
            assert.equal(operationOf(id).path.includes('{botId}'), false, `${id} of another bot`);
        }
        const bots = (await server.call('listBots', with_(browser))).body.bots as { botId: string }[];
        assert.deepEqual(
          bots.map((bot) => bot.botId).sort(),
          (botId ? [botId] : [server.botId, otherId]).sort(),
        );
      }
    }
  }
});

test('signing in ends a previous session of the browser and never reuses it', async (t) => {
  const server = await ownManagementServer(t);
  const { name, browser } = await signedIn(server);
  const planted = { cookie: `shoal_session=${'A'.repeat(43)}` };
  const fixed = await signIn(server, { userName: name, password }, planted);
  assert.notEqual(browserOf(fixed).cookie, planted.cookie);
  assert.deepEqual(problemOf(await server.call('getSession', with_(planted))).slice(0, 2), [
    401,
    'SESSION_INVALID',
  ]);
  const renewed = await signIn(server, { userName: name, password }, browser);
  assert.notEqual(browserOf(renewed).cookie, browser.cookie);
  assert.notEqual(renewed.body.csrfToken, browser['x-csrf-token']);
  assert.equal((await server.call('getSession', with_(browser))).status, 401);
  assert.equal((await server.call('getSession', with_(browserOf(renewed)))).status, 200);
});

test('a session ends 12 hours after its last call, and 7 days after it began in any case', async (t) => {
  const server = await ownManagementServer(t);
  const { browser } = await signedIn(server);
  const startedAt = server.now;
  const get = () => server.call('getSession', with_(browser));
  server.now += 12 * hourMs - 1;
  const renewed = await get();
  assert.equal(renewed.body.expiresAt, new Date(server.now + 12 * hourMs).toISOString());
  server.now += 12 * hourMs;
  assert.deepEqual(problemOf(await get()), [401, 'SESSION_INVALID', 'There is no session, or it has ended.']);

  server.now = startedAt;
  const { browser: busy } = await signedIn(server);
  for (; server.now < startedAt + 7 * dayMs; server.now += 11 * hourMs)
    assert.equal((await server.call('getSession', with_(busy))).status, 200);
  server.now = startedAt + 7 * dayMs - minuteMs;
  const last = await server.call('getSession', with_(busy));
  assert.deepEqual([last.status, last.body.expiresAt], [200, new Date(startedAt + 7 * dayMs).toISOString()]);
  server.now = startedAt + 7 * dayMs;
  assert.equal((await server.call('getSession', with_(busy))).status, 401);

  // Only ended sessions are deleted.
  const { browser: current } = await signedIn(server);
  await purgeSessions(server.sql, { now: server.now });
  assert.equal((await server.sql`select from sessions`).length, 1);
  assert.equal((await server.call('getSession', with_(current))).status, 200);
});

test('signing out ends the session and clears the cookie, and an invalid cookie gives no access', async (t) => {
  const server = await ownManagementServer(t);
  const { browser } = await signedIn(server);
  const out = await server.call('deleteSession', with_(browser));
  assert.deepEqual(
    [out.status, out.headers['set-cookie']],
    [204, 'shoal_session=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict'],
  );
  const strangers = [browser.cookie, 'shoal_session=', 'shoal_session=x', `shoal_session=${'A'.repeat(43)}`];
  for (const cookie of strangers) {
    for (const { id, scopes } of contract.operations) {
      if (scopes.length === 0) continue;
      const answer = await server.call(id, with_({ cookie, 'x-csrf-token': browser['x-csrf-token'] }));
      assert.deepEqual(problemOf(answer).slice(0, 2), [401, 'SESSION_INVALID'], id);
    }
  }
  // A program with a token has no session, and a token takes precedence over the cookie.
  const bearer = { authorization: `Bearer ${server.token}` };
  assert.equal(
    (await server.call('getSession', with_({ ...bearer, cookie: '' }))).body.code,
    'SESSION_INVALID',
  );
  const { browser: held } = await signedIn(server);
  const wrong = { cookie: held.cookie, authorization: 'Bearer nonsense' };
  assert.equal((await server.call('listBots', with_(wrong))).body.code, 'TOKEN_INVALID');
  assert.equal((await server.call('listUsers', with_({ ...bearer, cookie: held.cookie }))).status, 200);
});

test('a reduced scope of a user or token applies to its sessions from the next call', async (t) => {
  const server = await ownManagementServer(t);
  await server.addUser({ scope: 'admin' });
  const { userId, browser } = await signedIn(server, { scope: 'admin' });
  const update = (body: Record<string, unknown>) => server.call('updateUser', { params: { userId }, body });
  assert.equal((await server.call('listUsers', with_(browser))).status, 200);
  await update({ scope: 'read' });
  assert.equal((await server.call('listUsers', with_(browser))).body.code, 'SCOPE_TOO_SMALL');
  assert.equal((await server.call('getBot', with_(browser))).status, 200);
  await update({ botIds: [await server.addBot()] });
  assert.equal((await server.call('getBot', with_(browser))).body.code, 'BOT_NOT_FOUND');
  await server.call('removeUser', { params: { userId } });
  assert.equal((await server.call('getSession', with_(browser))).body.code, 'SESSION_INVALID');

  const { token, tokenId } = await server.addToken('read');
  const byToken = browserOf(await signIn(server, { token }));
  assert.equal((await server.call('getOwnToken', with_(byToken))).body.tokenId, tokenId);
  await server.call('revokeAdminToken', { params: { tokenId } });
  assert.equal((await server.call('getSession', with_(byToken))).body.code, 'SESSION_INVALID');
  assert.equal((await signIn(server, { token })).status, 401);
});

test('a changed password ends the other sessions of the user at once, and only the new one is accepted', async (t) => {
  const server = await ownManagementServer(t);
  const { userId, name, browser: own } = await signedIn(server, { scope: 'admin' });
  const others = [browserOf(await signIn(server, { userName: name, password }))];
  const { browser: stranger } = await signedIn(server);
  const status = async (browser: Record<string, string>) =>
    (await server.call('getSession', with_(browser))).status;
  const body = { currentPassword: password, password: 'another long password' };
  assert.equal((await server.call('changeOwnPassword', with_(own, { body }))).status, 204);
  assert.deepEqual(
    [await status(own), await status(others[0] ?? {}), await status(stranger)],
    [200, 401, 200],
  );
  assert.equal((await signIn(server, { userName: name, password })).status, 401);
  assert.equal((await signIn(server, { userName: name, password: body.password })).status, 200);

  // A change by another caller ends all sessions; one by the user, as an administrator, keeps the session of the call.
  const set = (call: Call) => server.call('updateUser', { params: { userId }, body: { password }, ...call });
  assert.equal((await set(with_(own))).status, 200);
  assert.equal(await status(own), 200);
  assert.equal((await set({})).status, 200);
  assert.equal(await status(own), 401);
  const { browser } = await signedIn(server);
  const weak = await server.call(
    'changeOwnPassword',
    with_(browser, { body: { ...body, password: 'short' } }),
  );
  assert.deepEqual(problemOf(weak), [400, 'INPUT_INVALID', 'A password has 12 to 200 characters, not 5.']);
  const byToken = browserOf(await signIn(server, { token: server.token }));
  assert.equal(
    (await server.call('changeOwnPassword', with_(byToken, { body }))).body.code,
    'SESSION_INVALID',
  );
});

test('an unknown name, a wrong password and a wrong token return the same response, the first two after the same work', async (t) => {
  const server = await ownManagementServer(t, { passwordCost: { ...usualCost, p: 1 } });
  const { name, userId } = await server.addUser();
  await server.call('updateUser', { params: { userId }, body: { password } });
  const answers = new Set<string>();
  const timed = async (body: Record<string, unknown>, from: string) => {
    const startedAt = performance.now();
    const answer = await signIn(server, body, { 'x-forwarded-for': from });
    assert.equal(answer.status, 401);
    answers.add(answer.text);
    return performance.now() - startedAt;
  };
  const wrong: number[] = [];
  const unknown: number[] = [];
  for (let turn = 0; turn < 4; turn += 1) {
    wrong.push(await timed({ userName: name, password: 'not the password' }, `192.0.2.${turn}`));
    unknown.push(await timed({ userName: 'unknown', password: 'not the password' }, `198.51.100.${turn}`));
  }
  await timed({ token: `shoal_admin_${'A'.repeat(43)}` }, '203.0.113.1');
  assert.equal(answers.size, 1);
  // Without the work it would take less than a tenth of the time.
  const [slow, fast] = [Math.min(...wrong), Math.min(...unknown)];
  assert.ok(slow < 5 * fast && fast < 5 * slow, `${slow} ms and ${fast} ms`);
  // Both are delayed alike.
  for (const userName of [name, 'unknown']) {
    for (let failure = 1; failure <= 5; failure += 1)
      assert.equal((await signIn(server, { userName, password: 'x' })).status, 401);
    assert.equal((await signIn(server, { userName, password })).status, 429);
  }
});

test('failed sign-ins delay a user name, even with the right password, until a successful one resets the count', async (t) => {
  const server = await ownManagementServer(t);
  const { name } = await server.addUser();
  const attempt = (candidate: string) => signIn(server, { userName: name, password: candidate });
  for (let failure = 1; failure <= 5; failure += 1) assert.equal((await attempt('wrong')).status, 401);
  for (const candidate of [password, 'wrong']) {
    const limited = await attempt(candidate);
    assert.deepEqual([limited.status, limited.headers['retry-after']], [429, '5']);
  }
  server.now += 5 * secondMs;
  assert.equal((await attempt(password)).status, 200);
  for (let failure = 1; failure <= 4; failure += 1) assert.equal((await attempt('wrong')).status, 401);
  assert.equal((await attempt(password)).status, 200);
});

test('guesses from one network do not lock the user out of other networks', async (t) => {
  const server = await ownManagementServer(t);
  const { name } = await server.addUser();
  const attempt = async (candidate: string, from: string) =>
    (await signIn(server, { userName: name, password: candidate }, { 'x-forwarded-for': from })).status;
  for (let turn = 0; turn < 200; turn += 1) {
    await attempt('wrong', '192.0.2.1');
    server.now += minuteMs;
  }
  assert.equal(await attempt('wrong', '192.0.2.1'), 429);
  assert.equal(await attempt(password, '192.0.2.1'), 429);
  assert.equal(await attempt(password, '198.51.100.7'), 200);
  assert.equal(await attempt(password, '2001:db8::1'), 200);
});

test('many failures with any names delay an address, and no other address', async (t) => {
  const server = await ownManagementServer(t);
  const from = (address: string) => ({ 'x-forwarded-for': address });
  const token = (candidate: string, address: string) => signIn(server, { token: candidate }, from(address));
  for (let failure = 1; failure <= 21; failure += 1)
    assert.equal((await token(`wrong ${failure}`, '192.0.2.1')).status, 401);
  assert.equal((await token(server.token, '192.0.2.1')).status, 429);
  assert.equal((await token(server.token, '192.0.2.2')).status, 200);
  // An address claimed without a trusted proxy is ignored; here the test's own address counts.
  assert.equal((await token(server.token, 'spoofed, 192.0.2.1')).status, 429);
});

test('a password hashed at another cost is rehashed when its user signs in', async (t) => {
  const server = await ownManagementServer(t);
  const { userId, name } = await server.addUser();
  const cost = { ln: 12, r: 8, p: 1 };
  const cheap = await new Passwords({ random: randomBytes, cost }).hash(password);
  await server.sql`update users set password_hash = ${cheap} where user_id = ${userId}`;
  const storedHash = async () =>
    (await server.sql<{ hash: string }[]>`select password_hash as hash from users`)[0]?.hash;
  assert.equal((await signIn(server, { userName: name, password: 'wrong' })).status, 401);
  assert.equal(await storedHash(), cheap);
  assert.equal((await signIn(server, { userName: name, password })).status, 200);
  assert.match(String(await storedHash()), /^\$scrypt\$ln=10,/);
  assert.equal((await signIn(server, { userName: name, password })).status, 200);
});

test('another site cannot sign a browser in, because requests without a preflight are rejected', async (t) => {
  const { app, token } = await ownManagementServer(t);
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', undefined]) {
    const { statusCode, headers } = await app.inject({
      method: 'POST',
      url: '/api/v1/session',
      headers: type === undefined ? {} : { 'content-type': type },
      payload: Buffer.from(JSON.stringify({ token })),
    });
    assert.deepEqual([statusCode, headers['set-cookie']], [415, undefined], type);
  }
  const preflight = await app.inject({
    method: 'OPTIONS',
    url: '/api/v1/session',
    headers: { origin: 'https://elsewhere.example', 'access-control-request-method': 'POST' },
  });
  assert.equal(preflight.headers['access-control-allow-origin'], undefined);
});

test('a socket accepts a token, or a session with its CSRF token from an allowed origin', async (t) => {
  const server = await ownManagementServer(t);
  const { sql, now, token } = server;
  const { userId, browser } = await signedIn(server, { name: 'Ming', scope: 'write' });
  const { cookie, 'x-csrf-token': csrfToken } = browser;
  const headers = { cookie, host: 'shoal.example:8080', origin: 'http://shoal.example:8080' };
  const publicUrl = 'https://public.example/';
  const open = (newUser: Omit<Parameters<typeof readSocketCaller>[1], 'protocol'>) =>
    readSocketCaller(sql, { protocol: 'http', ...newUser }, { now, publicUrl });
  const { kind, id, name, scope, botIds } = await open({ headers, csrfToken });
  assert.deepEqual([kind, id, name, scope, botIds], ['user', userId, 'Ming', 'write', null]);
  assert.equal(
    (await open({ headers: { ...headers, origin: 'https://public.example' }, csrfToken })).id,
    userId,
  );
  assert.equal((await open({ headers: {}, token })).kind, 'token');

  for (const origin of [undefined, 'null', 'https://elsewhere.example', 'http://shoal.example', 'x']) {
    const { origin: _, ...without } = headers;
    const socketHeaders = origin === undefined ? without : { ...headers, origin };
    await assert.rejects(open({ headers: socketHeaders, csrfToken }), { code: 'CSRF_TOKEN_INVALID' }, origin);
  }
  for (const wrong of [undefined, null, '', 'x', 5, {}])
    await assert.rejects(open({ headers, csrfToken: wrong }), { code: 'CSRF_TOKEN_INVALID' });
  await assert.rejects(open({ headers: { ...headers, cookie: 'a=b' }, csrfToken }), {
    code: 'SESSION_INVALID',
  });
  for (const wrong of ['', 'x', null, 5])
    await assert.rejects(open({ headers, token: wrong }), { code: 'TOKEN_INVALID' });
  await server.call('removeUser', { params: { userId } });
  await assert.rejects(open({ headers, csrfToken }), { code: 'SESSION_INVALID' });
});

test('only a caller for their bot can list, create, change and remove users', async (t) => {
  const server = await ownManagementServer(t);
  const otherId = await server.addBot();
  const { token } = await server.addToken('admin', [server.botId]);
  const ownUser = await server.addUser({ botId: server.botId });
  const strangers = [await server.addUser({ botId: otherId }), await server.addUser()];
  const { body } = await server.call('listUsers', { token });
  assert.deepEqual(
    (body.users as { userId: string }[]).map(({ userId }) => userId),
    [ownUser.userId],
  );
  for (const { userId } of [...strangers, { userId: 'unknown' }]) {
    const detail = `There is no user "${userId}".`;
    for (const id of ['updateUser', 'removeUser']) {
      const answer = await server.call(id, {
        token,
        params: { userId },
        body: id === 'updateUser' ? { scope: 'read' } : undefined,
      });
      assert.deepEqual(problemOf(answer), [404, 'USER_NOT_FOUND', detail]);
    }
  }
  const newUser = { name: 'New', scope: 'read', password };
  const onlyAll = 'Only a caller for all bots may make a user for all: name botIds.';
  const params = { userId: ownUser.userId };
  for (const botId of [undefined, null]) {
    const refused = await server.call('createUser', {
      token,
      body: { ...newUser, botIds: botId && [botId] },
    });
    assert.deepEqual(problemOf(refused), [403, 'SCOPE_TOO_SMALL', onlyAll]);
  }
  const widened = await server.call('updateUser', { token, params, body: { botIds: null } });
  assert.deepEqual(problemOf(widened), [403, 'SCOPE_TOO_SMALL', onlyAll]);
  const moved = await server.call('updateUser', { token, params, body: { botIds: [otherId] } });
  assert.deepEqual(problemOf(moved), [404, 'BOT_NOT_FOUND', `There is no bot ${otherId}.`]);
  const user = await server.call('createUser', { token, body: { ...newUser, botIds: [server.botId] } });
  assert.deepEqual([user.status, user.body.botIds, user.body.lastSignInAt], [201, [server.botId], null]);
  const renamed = await server.call('updateUser', { token, params, body: { name: 'Renamed' } });
  assert.deepEqual(
    [renamed.status, renamed.body.name, renamed.body.botIds],
    [200, 'Renamed', [server.botId]],
  );
  assert.equal((await signIn(server, { userName: 'renamed', password })).status, 200);
});

test('the log contains sign-ins, failed sign-ins and changes with their users, but no secret', async (t) => {
  const server = await ownManagementServer(t);
  const { userId, answer, browser } = await signedIn(server, { scope: 'admin' });
  const { name } = await server.addUser();
  await signIn(server, { userName: 'my password by mistake', password: 'guess number one' });
  await signIn(server, { userName: name, password: 'guess number two' });
  const body = { name: 'New', scope: 'read', password: 'first new password' };
  await server.call('createUser', with_(browser, { body }));
  await server.call(
    'updateUser',
    with_(browser, { params: { userId }, body: { password: 'second new password' } }),
  );
  const ownPassword = { currentPassword: 'second new password', password: 'third new password' };
  await server.call('changeOwnPassword', with_(browser, { body: ownPassword }));
  await server.call('deleteSession', with_(browser));
  await server.call('getSession', with_(browser));
  const lines = JSON.parse(JSON.stringify(server.infos.filter((line) => typeof line === 'object')));
  const from = '127.0.0.1';
  const path = '/api/v1/session';
  assert.deepEqual(lines, [
    { operation: 'createSession', userId, from },
    { userId: null, from },
    { code: 'SIGN_IN_FAILED', path, from },
    { userId: lines[3]?.userId, from },
    { code: 'SIGN_IN_FAILED', path, from },
    { operation: 'createUser', userId, params: {} },
    { operation: 'updateUser', userId, params: { userId } },
    { operation: 'changeOwnPassword', userId, params: {} },
    { operation: 'deleteSession', userId, params: {} },
    { code: 'SESSION_INVALID', path, from },
  ]);
  assert.notEqual(lines[3]?.userId, userId);
  const text = JSON.stringify([server.infos, server.logged]);
  const secrets = ['password', 'guess', 'scrypt', String(answer.body.csrfToken), browser.cookie.slice(14)];
  for (const secret of secrets)
    assert.equal(
      text.replaceAll('changeOwnPassword', '').replaceAll('a wrong name or password', '').includes(secret),
      false,
      secret,
    );
});

test('two processes count attempts together, and each accepts the sessions of the other', async (t: TestContext) => {
  const environment = await databaseEnvironment(t);
  const token = JSON.parse((await shoal(environment, 'admin-token', 'create', '--json')).stdout).token;
  const [first, second] = await Promise.all([
    serve(environment, '--role', 'web'),
    serve(environment, '--role', 'web'),
  ]);
  const post = (address: string, path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${address}/api/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const authorization = `Bearer ${token}`;
  const user = { name: 'ming', scope: 'write', password };
  assert.equal((await post(first.address, 'users', user, { authorization })).status, 201);
  const attempt = (address: string, candidate: string) =>
    post(address, 'session', { userName: 'ming', password: candidate });
  const answer = await attempt(first.address, password);
  const cookie = answer.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
  const held = await fetch(`${second.address}/api/v1/session`, { headers: { cookie } });
  assert.deepEqual(await held.json(), await answer.json());

  const addresses = [first.address, second.address, first.address, second.address, first.address];
  for (const address of addresses) assert.equal((await attempt(address, 'wrong')).status, 401);
  for (const address of [first.address, second.address]) {
    const limited = await attempt(address, password);
    assert.equal(limited.status, 429);
    assert.ok(Number(limited.headers.get('retry-after')) <= 5);
  }
});
