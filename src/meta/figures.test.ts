import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askDays, askTemplates } from './figures.ts';

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
  const counts = { name: 'pickup', sent: 2, delivered: 1, read: 1, clicked: null };
  assert.deepEqual(figures, [{ day: '2026-03-01', value: { 11: counts } }]);
  assert.equal(nextCursor, 'QVFI');
  assert.equal(paths.length, 2);
  assert.match(paths[0] ?? '', /limit=10&after=a%3D$/);
});

test('a business account without templates takes one call', async () => {
  const get = async () => ({ value: { data: [] }, pauseMs: 0 });
  assert.deepEqual(await askTemplates(channel, { cursor: '', days }, get), { figures: [], nextCursor: null });
});

test('figures that Meta leaves out of a template stay unknown, and clicks of its buttons add up', async () => {
  const points = [
    { template_id: '11', start: 1_772_323_200, sent: 2, clicked: [{ count: 3 }, { count: 4 }, {}] },
    { template_id: '11', start: 1_772_409_600, sent: 1, delivered: 1, read: 0, clicked: [] },
  ];
  const get = async (path: string) => ({
    value: { data: path.includes('message_templates') ? [{ id: '11' }] : [{ data_points: points }] },
    pauseMs: 0,
  });
  const { figures } = await askTemplates(channel, { cursor: '', days }, get);
  assert.deepEqual(figures, [
    { day: '2026-03-01', value: { 11: { name: '11', sent: 2, delivered: null, read: null, clicked: 7 } } },
    { day: '2026-03-02', value: { 11: { name: '11', sent: 1, delivered: 1, read: 0, clicked: 0 } } },
  ]);
});

test('the end of a day is read as a date and as seconds', async () => {
  const ends = ['2026-03-02T08:00:00+0000', '1772524800'];
  const values = ends.map((end_time, index) => ({ value: index, end_time }));
  const get = async () => ({ value: { data: [{ name: 'page_follows', values }] }, pauseMs: 0 });
  const page = { ...channel, platform: 'facebook' as const, businessAccountId: null };
  assert.deepEqual(await askDays('page-insights', page, { ...days, isLatest: true }, get), [
    { day: '2026-03-01', value: { page_follows: 0 } },
    { day: '2026-03-02', value: { page_follows: 1 } },
  ]);
});

test('analytics are those of the channel’s number, not of the whole business account', async () => {
  const paths: string[] = [];
  const get = async (path: string) => {
    paths.push(path);
    const data_points = [{ start: 1_772_323_200, sent: 2, delivered: 1 }];
    const value = path.startsWith('/1?')
      ? { display_phone_number: '+886 2-5550 1000' }
      : { analytics: { data_points } };
    return { value, pauseMs: 0 };
  };
  assert.deepEqual(await askDays('whatsapp-analytics', channel, { ...days, isLatest: true }, get), [
    { day: '2026-03-01', value: { sent: 2, delivered: 1 } },
  ]);
  assert.match(paths[1] ?? '', /^\/2\?fields=analytics\..*\.phone_numbers\(\[886255501000\]\)$/);
});
