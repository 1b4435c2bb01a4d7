import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { test } from 'node:test';

const loaded: string[] = [];
registerHooks({
  load(url, context, next) {
    loaded.push(url);
    return next(url, context);
  },
});
const { isAllowedOrigin } = await import('./router.ts');

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

test('a server without MCP calls loads no module of the SDK', () => {
  assert.ok(loaded.some((url) => url.endsWith('/mcp/router.ts')));
  assert.deepEqual(
    loaded.filter((url) => url.includes('@modelcontextprotocol')),
    [],
  );
});
