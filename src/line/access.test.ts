import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { test } from 'node:test';
import { minuteMs, secondMs } from '../time.ts';
import { LineAccess, type LineCredentials } from './access.ts';
import type { Reply, TokenReply } from './line-client.ts';

const credentials: LineCredentials = {
  channelId: '1657000000',
  secrets: ['secret', 'previous'],
  assertionKey: null,
  accessToken: 'long-lived',
};

function world() {
  const state = {
    now: 0,
    forms: [] as URLSearchParams[],
    reply: null as TokenReply | null,
    delay: Promise.resolve(),
  };
  const line = {
    async askForToken(path: string, form: URLSearchParams | null): Promise<TokenReply> {
      assert.equal(path, '/oauth2/v3/token');
      state.forms.push(form ?? new URLSearchParams());
      const text = JSON.stringify({
        token_type: 'Bearer',
        access_token: `token-${state.forms.length}`,
        expires_in: 900,
      });
      await state.delay;
      return state.reply ?? { outcome: 'answered', text };
    },
  };
  const access = new LineAccess(line, { clock: () => state.now, onCall: () => undefined });
  return { state, access };
}

test('a channel without a channel id uses its long-lived token', async () => {
  const { state, access } = world();
  assert.deepEqual(await access.tokenOf({ ...credentials, channelId: null }), { token: 'long-lived' });
  const none = await access.tokenOf({ ...credentials, channelId: null, accessToken: null });
  assert.equal('failure' in none && none.failure, 'sealed');
  assert.equal(state.forms.length, 0);
});

test('a token is issued once for concurrent calls, and renewed before it expires without a wait', async () => {
  const { state, access } = world();
  const first = await Promise.all([access.tokenOf(credentials), access.tokenOf(credentials)]);
  assert.deepEqual(first, [{ token: 'token-1' }, { token: 'token-1' }]);
  assert.deepEqual(Object.fromEntries(state.forms[0] ?? []), {
    grant_type: 'client_credentials',
    client_id: '1657000000',
    client_secret: 'secret',
  });
  state.now = 12 * minuteMs - 1;
  assert.deepEqual(await access.tokenOf(credentials), { token: 'token-1' });
  assert.equal(state.forms.length, 1);
  const { promise, resolve } = Promise.withResolvers<void>();
  state.delay = promise;
  state.now = 12 * minuteMs;
  assert.deepEqual(await access.tokenOf(credentials), { token: 'token-1' }, 'while the new one is requested');
  state.now = 15 * minuteMs - 20 * secondMs;
  const waiting = access.tokenOf(credentials);
  resolve();
  assert.deepEqual(await waiting, { token: 'token-2' });
  assert.equal(state.forms.length, 2);
  assert.deepEqual(await access.tokenOf({ ...credentials, secrets: ['new'] }), { token: 'token-3' });
});

test('wrong credentials are reported, and LINE is not asked again for 5 s', async () => {
  const { state, access } = world();
  state.reply = { outcome: 'refused' };
  for (let call = 0; call < 3; call += 1) {
    const refused = await access.tokenOf(credentials);
    assert.equal('failure' in refused && refused.failure, 'token-refused');
    assert.ok(!JSON.stringify(refused).includes('secret"'));
  }
  assert.equal(state.forms.length, 1);
  state.now = 5 * secondMs;
  state.reply = { outcome: 'answered', text: '{"access_token":7}' };
  const odd = await access.tokenOf(credentials);
  assert.equal('failure' in odd && odd.failure, 'nonsense');
  state.now = 10 * secondMs;
  state.reply = null;
  assert.deepEqual(await access.tokenOf(credentials), { token: 'token-3' });
});

test('an assertion key signs the request for a token, and the secret is not sent', async () => {
  const { state, access } = world();
  state.now = Date.parse('2026-03-01T00:00:00Z');
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const assertionKey = JSON.stringify({ ...privateKey.export({ format: 'jwk' }), kid: 'key-1' });
  assert.deepEqual(await access.tokenOf({ ...credentials, assertionKey }), { token: 'token-1' });
  const form = Object.fromEntries(state.forms[0] ?? []);
  assert.equal(form.client_secret, undefined);
  assert.equal(form.client_assertion_type, 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
  const [head = '', claims = '', signature = ''] = (form.client_assertion ?? '').split('.');
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
  assert.deepEqual(read(head), { alg: 'RS256', typ: 'JWT', kid: 'key-1' });
  assert.deepEqual(read(claims), {
    ...{ iss: '1657000000', sub: '1657000000', aud: 'https://api.line.me/' },
    exp: state.now / secondMs + 600,
  });
  const key = createPublicKey(publicKey.export({ format: 'pem', type: 'spki' }));
  assert.ok(verify('sha256', Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, 'base64url')));
});

test('after a refused token one call is repeated with a new one, and only refused credentials are reported as refused', async () => {
  const { state, access } = world();
  let refusals = 1;
  const used: string[] = [];
  const call = async (token: string): Promise<Reply> => {
    used.push(token);
    refusals -= 1;
    if (refusals >= 0) return { outcome: 'token-refused', problem: 'LINE refuses the access token (401).' };
    return { outcome: 'answered', text: token };
  };
  assert.deepEqual(await access.call(credentials, call), { outcome: 'answered', text: 'token-2' });
  assert.deepEqual(used, ['token-1', 'token-2']);
  access.refused(credentials, 'token-1');
  assert.deepEqual(
    await access.tokenOf(credentials),
    { token: 'token-2' },
    'a late refusal keeps the new one',
  );
  refusals = 2;
  const fresh = await access.call(credentials, call);
  assert.equal('outcome' in fresh && fresh.outcome, 'unreachable');
  access.refused(credentials, 'token-3');
  state.reply = { outcome: 'refused' };
  const failed = await access.call(credentials, call);
  assert.equal('failure' in failed && failed.failure, 'token-refused');
});

test('a change of the system time does not extend the lifetime of a token', async () => {
  let monotonic = 0;
  let issued = 0;
  const text = () => JSON.stringify({ access_token: `token-${++issued}`, expires_in: 900 });
  const line = { askForToken: async (): Promise<TokenReply> => ({ outcome: 'answered', text: text() }) };
  const access = new LineAccess(line, {
    clock: () => 0,
    monotonic: () => monotonic,
    onCall: () => undefined,
  });
  assert.deepEqual(await access.tokenOf(credentials), { token: 'token-1' });
  monotonic = 15 * minuteMs;
  assert.deepEqual(await access.tokenOf(credentials), { token: 'token-2' });
});
