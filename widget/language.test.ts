import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localeOf, pickLanguage } from './language.ts';

test('the script line goes before the page, the page before the browser', () => {
  assert.equal(pickLanguage(['ja', 'en', 'zh-TW']), 'ja');
  assert.equal(pickLanguage([undefined, 'zh-Hant-TW', 'ja']), 'zh-Hant');
  assert.equal(pickLanguage([undefined, '', 'fr-FR', 'ja-JP', 'en']), 'ja');
});

test('a language nobody wrote texts in is passed over; with nothing left it is English', () => {
  assert.equal(pickLanguage(['th', 'fr']), 'en');
  assert.equal(pickLanguage(['', null, undefined]), 'en');
  assert.equal(pickLanguage(['jam', 'enm']), 'en');
});

test('every Chinese is answered in traditional characters, however it is written', () => {
  for (const wish of ['zh', 'zh-TW', 'zh_HK', 'ZH-hant', 'zh-Hans-CN'])
    assert.equal(pickLanguage([wish]), 'zh-Hant');
});

test("times are written as in the reader's region of the widget's language", () => {
  assert.equal(localeOf('en', ['ja-JP', 'en-GB', 'en-US']), 'en-GB');
  assert.equal(localeOf('zh-Hant', ['en-GB', 'zh-HK']), 'zh-HK');
  assert.equal(localeOf('ja', ['en-GB']), 'ja');
});
