import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../tests/harness/property.ts';
import { readTarget } from './target.ts';

const plain = [
  '/v2/bot/message/push',
  '/v2/bot/profile/U0123456789abcdef0123456789abcdef',
  '/v2/bot/richmenu/richmenu-1~a_b.c/content',
  '/v2/bot/richmenu/alias/%E4%BD%A0%E5%A5%BD',
  '/v2/bot/message/quota?x=1&y=%2F%2e%2e/../http://other.example/',
  '/v2/bot/followers/ids?limit=1000&start=abc%20def',
];

const refusedTargets = [
  'http://other.example/v2/bot/info',
  'https://api.line.me/v2/bot/info',
  '//other.example/v2/bot/info',
  '/v2/bot//other.example/info',
  '/v2/bot/',
  '/v2/bot',
  '/v2/bot/info/',
  '/v2/bot/../../admin',
  '/v2/bot/./info',
  '/v2/bot/%2e%2e/admin',
  '/v2/bot/%2E/info',
  '/v2/bot/..%2fadmin',
  '/v2/bot/a%2Fb',
  '/v2/bot/a%5cb',
  '/v2/bot/a\\b',
  '/v2/bot/message/%70ush',
  '/v2/bot/message/push;a=b',
  '/v2/bot/message/push%3Ba',
  '/v2/bot/message/push%00',
  '/v2/bot/info%0d%0aHost:%20other.example',
  '/v2/bot/info%',
  '/v2/bot/info%2',
  '/v2/bot/%252e%252e/admin',
  '/v2/bot/%c0%ae%c0%ae/admin',
  '/v2/bot/info?a\r\nHost: other.example',
  '/v2/bot/info?a b',
  '/v2/bot/info#fragment',
  '/v2/bot/info?a#fragment',
  '/V2/bot/info',
  '/v2/other/info',
  'v2/bot/info',
  '*',
  'other.example:443',
  '',
  `/v2/bot/${'a'.repeat(8_000)}`,
];

test('a plain path and its query are forwarded unchanged', () => {
  for (const target of plain) {
    const { path, query } = readTarget(target);
    assert.equal(path + query, target);
  }
});

test('any other spelling of a path, another host and an injected header are refused', () => {
  for (const target of refusedTargets)
    assert.throws(() => readTarget(target), { code: 'CALL_INVALID' }, target);
});

test('every accepted target stays on LINE’s host below /v2/bot/, even after decoding', async (t) => {
  const piece = fc.constantFrom(
    ...[
      '/',
      '.',
      '..',
      '%2e',
      '%2f',
      '%5c',
      '%25',
      '%E4%BD%A0',
      '\\',
      '@',
      ':',
      'push',
      'a',
      ';',
      '?',
      '#',
      '//x.example',
    ],
  );
  await holds(
    t,
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const target = `/v2/bot/${pieces.join('')}`;
      try {
        readTarget(target);
      } catch {
        return;
      }
      const url = new URL(target, 'https://api.line.me');
      assert.equal(url.origin, 'https://api.line.me');
      assert.equal(url.pathname, target.split('?')[0]);
      assert.ok(
        new URL(decodeURIComponent(url.pathname), 'https://api.line.me').pathname.startsWith('/v2/bot/'),
      );
    }),
    { runs: 2_000 },
  );
});
