import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listAccountTemplates } from './message-templates.ts';

const channel = { accessToken: 'EAA', businessAccountId: '2' };
const template = (name: string, components: object[], more: object = {}) => ({
  ...{ name, language: 'zh_TW', status: 'APPROVED', components },
  ...more,
});
const body = { type: 'BODY', text: 'Hi {{1}}, your code is {{2}}. {{1}}!' };

test('templates of all pages are listed by name, with the number of their parameters and whether Shoal can send them', async () => {
  const pages = [
    {
      data: [
        template('order', [body, { type: 'FOOTER', text: 'Bye' }]),
        template('picture', [{ type: 'HEADER', format: 'IMAGE' }, body]),
        template('named', [{ type: 'BODY', text: 'Hi {{name}}' }], { parameter_format: 'NAMED' }),
        { id: 'without a name' },
      ],
      paging: { next: 'https://next', cursors: { after: 'more' } },
    },
    {
      data: [
        template('link', [
          { type: 'BODY', text: 'Hi' },
          { type: 'BUTTONS', buttons: [{ type: 'URL', url: 'https://shop.example/{{1}}' }] },
        ]),
        template('button', [
          { type: 'BODY', text: 'Hi' },
          { type: 'BUTTONS', buttons: [{ type: 'QUICK_REPLY', text: 'Yes' }] },
        ]),
        template('new', [body], { status: 'PENDING' }),
      ],
    },
  ];
  const paths: string[] = [];
  const get = async ({ path }: { path: string }) => {
    paths.push(path);
    return { value: pages[paths.length - 1] ?? {}, pauseMs: 0 };
  };
  const listed = await listAccountTemplates({ get }, channel);
  assert.match(paths[1] ?? '', /^\/2\/message_templates\?.*&after=more$/);
  assert.deepEqual(
    listed.map(({ name, parameters, isSendable }) => [name, parameters, isSendable]),
    [
      ['button', 0, true],
      ['link', 0, false],
      ['named', 1, false],
      ['new', 2, false],
      ['order', 2, true],
      ['picture', 2, false],
    ],
  );
});
