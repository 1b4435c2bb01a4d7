import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAllowedOrigin } from './router.ts';

test('programs, the public address and loopback pages may call /mcp, and no other page', () => {
  const isAllowed = (origin: string | undefined) => isAllowedOrigin(origin, 'https://shoal.example');
  for (const origin of [
    undefined,
    'https://shoal.example',
    'http://localhost:6274',
    'http://[::1]:80',
    'http://127.0.0.1',
  ])
    assert.equal(isAllowed(origin), true, origin);
  const others = [
    'null',
    '',
    'http://shoal.example',
    'https://shoal.example.evil.example',
    'http://localhost.evil.example',
  ];
  for (const origin of [
    ...others,
    'http://127.0.0.1.evil.example',
    'ftp://localhost',
    'https://evil.example:8080',
  ])
    assert.equal(isAllowed(origin), false, origin);
});
