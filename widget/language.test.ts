import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localeOf, pickLanguage } from './language.ts';

test('the script line takes precedence over the page, the page over the browser', () => {
  assert.equal(pickLanguage(['ja', 'en', 'zh-TW']), 'ja');
  assert.equal(pickLanguage([undefined, 'zh-Hant-TW', 'ja']), 'zh-Hant');
  assert.equal(pickLanguage([undefined, '', 'fr-FR', 'ja-JP', 'en']), 'ja');
});

test('unsupported languages are skipped; the default is English', () => {
  assert.equal(pickLanguage(['th', 'fr']), 'en');
  assert.equal(pickLanguage(['', null, undefined]), 'en');
  assert.equal(pickLanguage(['jam', 'enm']), 'en');
});

test('every variant of Chinese gives traditional characters', () => {
  for (const wish of ['zh', 'zh-TW', 'zh_HK', 'ZH-hant', 'zh-Hans-CN'])
    assert.equal(pickLanguage([wish]), 'zh-Hant');
});

test("times have the format of the visitor's region of the widget's language", () => {
  assert.equal(localeOf('en', ['ja-JP', 'en-GB', 'en-US']), 'en-GB');
  assert.equal(localeOf('zh-Hant', ['en-GB', 'zh-HK']), 'zh-HK');
  assert.equal(localeOf('ja', ['en-GB']), 'ja');
});
