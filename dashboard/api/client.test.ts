import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resource, urlOf } from './client.ts';

test('the URL of a resource has its encoded parameters, lists with commas, and no undefined parameters', () => {
  const path = { botId: 'b 1/2' };
  assert.equal(
    urlOf('/api/v1/bots/{botId}/figures/series', {
      path,
      query: { figures: ['followers', 'blocks'], from: '2026-03-01', to: undefined },
    }),
    '/api/v1/bots/b%201%2F2/figures/series?figures=followers,blocks&from=2026-03-01',
  );
  assert.equal(
    urlOf('/api/v1/bots/{botId}/contacts', { path, query: { name: '陳 &', blocked: false } }),
    '/api/v1/bots/b%201%2F2/contacts?name=%E9%99%B3%20%26&blocked=false',
  );
  assert.equal(resource('/api/v1/users', {}).url, '/api/v1/users');
});
