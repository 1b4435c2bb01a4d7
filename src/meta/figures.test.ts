import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askDays } from './figures.ts';

test('the pages of templates are bounded, even if Meta repeats an empty page with a next one', async () => {
  let calls = 0;
  const get = async () => {
    calls += 1;
    if (calls > 100) throw new Error('the paging does not end');
    return { value: { data: [], paging: { next: 'https://next', cursors: { after: 'same' } } }, pauseMs: 0 };
  };
  const channel = {
    platform: 'whatsapp',
    accessToken: 'EAA',
    accountId: '1',
    businessAccountId: '2',
  } as const;
  const days = { first: '2026-03-01', last: '2026-03-02' };
  assert.deepEqual(await askDays('whatsapp-templates', channel, days, get), []);
  assert.equal(calls, 10);
});
