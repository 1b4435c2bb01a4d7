import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../tests/harness/property.ts';
import type { JsonObject } from '../../json.ts';
import { jsonStrings } from './json-strings.ts';
import { findUrls, replaceUrls } from './message-urls.ts';

const prefix = 'https://shoal.example/r/';

function urlsOf(text: string): string[] {
  return findUrls(text, JSON.parse(text), { linkPrefix: prefix, lengthOfLink: 38 }).map(({ url }) => url);
}

function urlsOfMessages(...messages: object[]): string[] {
  return urlsOf(JSON.stringify({ to: 'U', messages }));
}

const uri = (url: string) => ({ type: 'uri', label: 'Open', uri: url });

test('findUrls returns every URL that a recipient can open, in order, but no images and no data', () => {
  const urls = urlsOfMessages(
    {
      type: 'text',
      text: 'See https://a.example/1?x=1, then (http://a.example/2). 看https://a.example/3。好',
      quickReply: {
        items: [{ type: 'action', imageUrl: 'https://a.example/i.png', action: uri('https://a.example/4') }],
      },
    },
    { type: 'textV2', text: '{who}: https://a.example/5', substitution: {} },
    {
      type: 'template',
      altText: 'https://a.example/alt',
      template: {
        type: 'buttons',
        thumbnailImageUrl: 'https://a.example/t.png',
        defaultAction: uri('https://a.example/6'),
        text: 'https://a.example/not-a-link',
        actions: [
          { ...uri('https://a.example/7'), altUri: { desktop: 'https://a.example/8' } },
          { type: 'postback', data: 'https://a.example/data' },
        ],
      },
    },
    {
      type: 'flex',
      contents: {
        type: 'bubble',
        hero: { type: 'image', url: 'https://a.example/h.png', action: uri('https://a.example/9') },
        body: { type: 'box', contents: [{ type: 'button', action: uri('https://a.example/10') }] },
      },
    },
    {
      type: 'imagemap',
      baseUrl: 'https://a.example/base',
      video: {
        originalContentUrl: 'https://a.example/v.mp4',
        externalLink: { linkUri: 'https://a.example/11' },
      },
      actions: [{ type: 'uri', linkUri: 'https://a.example/12' }],
    },
  );
  const expected = ['https://a.example/1?x=1', 'http://a.example/2'];
  assert.deepEqual(urls, [
    ...expected,
    ...Array.from({ length: 10 }, (_, n) => `https://a.example/${n + 3}`),
  ]);
});

test('findUrls skips URLs that cannot be replaced safely', () => {
  const messages = [
    { type: 'text', text: '$ https://a.example/', emojis: [{ index: 0, productId: 'p', emojiId: 'e' }] },
    {
      type: 'text',
      text: 'https://a.example/商品 https://a.example/xをご覧 xhttps://a.example/ ftp://a.example/',
    },
    { type: 'text', text: `https://a.example/ ${'x'.repeat(4_980)}` },
    { type: 'text', text: `${prefix}AAAAAAAAAAAAAA` },
    { type: 'textV2', text: 'https://a.example/{who}' },
    { type: 'flex', contents: { action: uri('https://line.me/R/ti/p/%40shop') } },
    { type: 'flex', contents: { action: uri('https://liff.line.me/1-2') } },
    { type: 'flex', contents: { action: uri('tel:+886200000000') } },
    { type: 'flex', contents: { action: uri('javascript:alert(1)') } },
    { type: 'flex', contents: { action: uri('https://') } },
    { type: 'flex', contents: { action: uri('https://a.example/a b') } },
  ];
  for (const message of messages) assert.deepEqual(urlsOfMessages(message), [], JSON.stringify(message));
  assert.deepEqual(
    urlsOf(JSON.stringify({ messages: [], uri: 'https://a.example/', other: [uri('https://a.example/')] })),
    [],
  );
});

test('only the URLs change, for any formatting of the JSON', () => {
  const text =
    '\t{"messages" : [ {"type":"text", "text":"\\u4f60\\"好\\\\ https:\\/\\/a.example\\/\\u0061 \\ud83d\\ude00 end" , "x" : 1.50e+1} ],\r\n "to":"U" }\n';
  const urls = findUrls(text, JSON.parse(text), { linkPrefix: prefix, lengthOfLink: 38 });
  assert.deepEqual(
    urls.map(({ url }) => url),
    ['https://a.example/a'],
  );
  assert.equal(
    replaceUrls(text, urls, [`${prefix}C`]),
    text.replace('https:\\/\\/a.example\\/\\u0061', `${prefix}C`),
  );
});

test('jsonStrings returns the strings of JSON.parse, with the offset of each UTF-16 unit', async (t) => {
  const name = fc.constantFrom('text', 'uri', 'other', 'a"b', '\\', '{');
  const leaf = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constant('{"text":"x"}'),
    fc.integer(),
    fc.constant(null),
  );
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(name, tie('tree'), { maxKeys: 3 }),
    ),
  }));
  await holds(
    t,
    fc.property(tree, fc.constantFrom(0, 2, '\t'), (value, space) => {
      const text = JSON.stringify({ root: value }, null, space);
      const strings = [...jsonStrings(text, new Set(['text', 'uri']))].map(
        ({ path, value: string, offsets }) => {
          assert.equal(JSON.parse(`"${text.slice(offsets[0], offsets.at(-1))}"`), string);
          return [path, string];
        },
      );
      assert.deepEqual(strings, namedStrings({ root: value } as JsonObject, []));
    }),
    { runs: 500 },
  );
});

function namedStrings(value: unknown, path: (string | number)[]): unknown[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => namedStrings(item, [...path, index]));
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([name, item]) => namedStrings(item, [...path, name]));
  }
  return typeof value === 'string' && ['text', 'uri'].includes(String(path.at(-1))) ? [[path, value]] : [];
}

test('the time for adversarial texts grows only with their length', () => {
  const bytes = 2_900_000;
  const shapes = {
    'one text of many URLs': urlsTextOf('http://a.example/ '.repeat(bytes / 18)),
    'one text of dots': urlsTextOf(`http://a.example/${'.'.repeat(bytes)}a`),
    'many texts of dots': many({ type: 'text', text: `http://a.example/${'.'.repeat(4_900)}a` }, 580),
    'many texts of brackets': many({ type: 'text', text: `http://a.example/${')'.repeat(4_900)}` }, 580),
    'deep objects': `{"messages":${'[{"text":"","uri":'.repeat(60_000)}1${'}]'.repeat(60_000)}}`,
  };
  const cpuMs = (text: string): number => {
    const body = JSON.parse(text) as JsonObject;
    const before = process.cpuUsage();
    findUrls(text, body, { linkPrefix: prefix, lengthOfLink: 38 });
    return process.cpuUsage(before).user / 1_000;
  };
  for (const [shape, text] of Object.entries(shapes)) {
    const ms = cpuMs(text);
    assert.ok(ms < 1_500, `${shape}: ${Math.round(ms)} ms for ${text.length} characters`);
  }
});

function urlsTextOf(text: string): string {
  return JSON.stringify({ messages: [{ type: 'text', text }] });
}

function many(message: object, count: number): string {
  return JSON.stringify({ messages: Array.from({ length: count }, () => message) });
}
