import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../tests/harness/property.ts';
import { splitLinks } from './links.ts';

const linksIn = (text: string): (string | null)[] =>
  splitLinks(text)
    .map(({ href }) => href)
    .filter((href) => href !== null);

test('addresses become links without the surrounding punctuation', () => {
  const cases: [string, string[]][] = [
    ['see https://shop.example/a?b=1&c=2#d.', ['https://shop.example/a?b=1&c=2#d']],
    ['(http://shop.example/x) and HTTPS://SHOP.example!', ['http://shop.example/x', 'HTTPS://SHOP.example']],
    ['請看 https://shop.example/訂單，謝謝', ['https://shop.example/訂單']],
    [
      '請看https://example.com/a?x=1。謝謝！再看（https://example.com/路徑/中文）好嗎？',
      ['https://example.com/a?x=1', 'https://example.com/路徑/中文'],
    ],
    ['「https://a.example/b」、https://c.example！', ['https://a.example/b', 'https://c.example']],
    ['詳しくはhttps://shop.example/a。よろしく', ['https://shop.example/a']],
    ['https://wiki.example/Fish_(food)', ['https://wiki.example/Fish_(food)']],
    ['no link: shop.example, ftp://shop.example, https://', []],
  ];
  for (const [text, links] of cases) assert.deepEqual(linksIn(text), links, text);
});

test('only http and https addresses become links', () => {
  for (const text of ['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', 'vbscript:https'])
    assert.deepEqual(linksIn(text), []);
  assert.deepEqual(linksIn('javascript:https://shop.example/%0aalert(1)'), [
    'https://shop.example/%0aalert(1)',
  ]);
});

test('the joined parts are the text', async (t) => {
  const pieces = fc.constantFrom(
    'https://',
    'http://a.b',
    '.',
    ')',
    '(',
    ' ',
    '中',
    '。',
    'x',
    '<b>',
    '"',
    '%',
  );
  await holds(
    t,
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces).map((all) => all.join('')),
      ),
      (text) => {
        assert.equal(
          splitLinks(text)
            .map((part) => part.text)
            .join(''),
          text,
        );
        for (const href of linksIn(text)) assert.match(href ?? '', /^https?:\/\/[^\s"<>]+$/i);
      },
    ),
  );
});
