import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minuteMs, secondMs } from '../time.ts';
import type { TokenReply } from './line-client.ts';
import { VerifiedTokens } from './verified-tokens.ts';

const tokenOf = (number: number): string => `token-${String(number).padStart(30, '0')}`;
const valid = (seconds: number): TokenReply => ({
  outcome: 'answered',
  text: JSON.stringify({ client_id: '1657000000', expires_in: seconds }),
});

function world() {
  const state = {
    now: 0,
    paths: [] as string[],
    stateless: null as TokenReply | null,
    other: null as TokenReply | null,
  };
  const line = {
    async askForToken(path: string, form: URLSearchParams | null): Promise<TokenReply> {
      state.paths.push(path.split('?')[0] ?? '');
      return (form === null ? state.stateless : state.other) ?? { outcome: 'refused' };
    },
  };
  return {
    state,
    verified: new VerifiedTokens(line, { monotonic: () => state.now, onCall: () => undefined }),
  };
}

test('a token is verified once, by the call for its kind, and cached until it expires', async () => {
  const { state, verified } = world();
  state.stateless = valid(900);
  assert.equal(verified.channelOf(tokenOf(1)), null);
  const both = [verified.verify(tokenOf(1), 'a'), verified.verify(tokenOf(1), 'b')];
  assert.deepEqual(await Promise.all(both), ['1657000000', '1657000000']);
  assert.deepEqual(state.paths, ['/oauth2/v2.1/verify']);
  state.now = 900 * secondMs - 1;
  assert.equal(verified.channelOf(tokenOf(1)), '1657000000');
  state.now += 1;
  assert.equal(verified.channelOf(tokenOf(1)), null);
  state.stateless = null;
  state.other = valid(10 * 365 * 86_400);
  assert.equal(await verified.verify(tokenOf(2), 'a'), '1657000000');
  assert.deepEqual(state.paths.slice(1), ['/oauth2/v2.1/verify', '/v2/oauth/verify']);
  state.now += 15 * minuteMs;
  assert.equal(verified.channelOf(tokenOf(2)), null, 'a revoked token works for 15 minutes at most');
});

test('a refused token is not asked about again for a minute, and a token of another form never', async () => {
  const { state, verified } = world();
  for (let call = 0; call < 3; call += 1) assert.equal(await verified.verify(tokenOf(1), 'a'), null);
  assert.equal(state.paths.length, 2);
  state.now = minuteMs;
  state.stateless = valid(900);
  assert.equal(await verified.verify(tokenOf(1), 'a'), '1657000000');
  for (const odd of ['', 'short', 'x'.repeat(2_000), `${tokenOf(3)}é`]) {
    assert.equal(await verified.verify(odd, 'a'), null);
  }
  assert.equal(state.paths.length, 3);
});

test('a caller cannot flood LINE: calls are limited for an address and in all', async () => {
  const { state, verified } = world();
  let number = 0;
  const flood = async (address: string, count: number): Promise<number> => {
    let refusals = 0;
    for (let call = 0; call < count; call += 1) {
      await verified.verify(tokenOf(number++), address).catch((error: { code: string }) => {
        assert.equal(error.code, 'RATE_LIMITED');
        refusals += 1;
      });
    }
    return refusals;
  };
  assert.equal(await flood('a', 100), 40);
  for (let address = 0; address < 30; address += 1) await flood(`other ${address}`, 60);
  assert.equal(state.paths.length, 2 * 1_200);
  const many = Array.from({ length: 40 }, (_, index) => verified.verify(tokenOf(10_000 + index), 'b'));
  assert.ok((await Promise.allSettled(many)).every(({ status }) => status === 'rejected'));
});

test('while LINE does not answer, nothing is cached', async () => {
  const { state, verified } = world();
  state.stateless = { outcome: 'unreachable', problem: 'LINE does not answer.' };
  await assert.rejects(verified.verify(tokenOf(1), 'a'), { code: 'GATEWAY_UNAVAILABLE' });
  state.stateless = valid(900);
  assert.equal(await verified.verify(tokenOf(1), 'a'), '1657000000');
});
