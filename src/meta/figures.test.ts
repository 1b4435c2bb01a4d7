import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askTemplates } from './figures.ts';

const channel = {
  platform: 'whatsapp',
  accessToken: 'EAA',
  accountId: '1',
  businessAccountId: '2',
} as const;
const days = { first: '2026-03-01', last: '2026-03-02' };

test('one page of templates takes two calls, and names the next page', async () => {
  const paths: string[] = [];
  const get = async (path: string) => {
    paths.push(path);
    const value = path.includes('message_templates')
      ? {
          data: [{ id: '11', name: 'pickup' }],
          paging: { next: 'https://next', cursors: { after: 'QVFI' } },
        }
      : {
          data: [
            { data_points: [{ template_id: '11', start: 1_772_323_200, sent: 2, delivered: 1, read: 1 }] },
          ],
        };
    return { value, pauseMs: 0 };
  };
  const { figures, nextCursor } = await askTemplates(channel, { cursor: 'a=', days }, get);
  const counts = { name: 'pickup', sent: 2, delivered: 1, read: 1, clicked: 0 };
  assert.deepEqual(figures, [{ day: '2026-03-01', value: { 11: counts } }]);
  assert.equal(nextCursor, 'QVFI');
  assert.equal(paths.length, 2);
  assert.match(paths[0] ?? '', /limit=10&after=a%3D$/);
});

test('a business account without templates takes one call', async () => {
  const get = async () => ({ value: { data: [] }, pauseMs: 0 });
  assert.deepEqual(await askTemplates(channel, { cursor: '', days }, get), { figures: [], nextCursor: null });
});
