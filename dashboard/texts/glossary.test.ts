/** One term for each thing, in every text a person reads: a second word for it looks like a second thing. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

/** The term, and words that have meant the same. `except`: a file with figures under the names of their platforms. */
const glossary: readonly { term: string; synonyms: RegExp; except?: string }[] = [
  // 繁體中文
  { term: '即時客服', synonyms: /即時聊天|線上客服|即時通訊|即時對話|線上聊天/ },
  { term: '頻道', synonyms: /管道|渠道|通路/ },
  { term: '對外 Webhook', synonyms: /通知 ?Webhook|外送 ?Webhook|傳出 ?Webhook|回呼/ },
  { term: '存取權杖', synonyms: /的 access token|存取令牌/ },
  { term: 'Multicast', synonyms: /多人推播/ },
  { term: '標籤', synonyms: /標簽|卷標/ },
  { term: '機器人', synonyms: /聊天機械人|機械人/ },
  // 日本語
  { term: 'ライブチャット', synonyms: /リアルタイムチャット|オンラインチャット|Webチャット/ },
  { term: 'チャネル', synonyms: /チャンネル|経路/ },
  { term: '送信Webhook', synonyms: /通知用? ?Webhook|送信 Webhook|発信 ?Webhook|コールバック/ },
  { term: '自社サーバー', synonyms: /お客様のサーバ|御社のサーバ/ },
  { term: 'URL', synonyms: /(?<!メール|IP)アドレス/ },
  { term: 'インポート', synonyms: /取り込み|取込/ },
  { term: '本文', synonyms: /メッセージの内容/ },
  { term: '友だち', synonyms: /フォロワー|友達/, except: 'dashboard/texts/platform-figures.ts' },
  { term: '連絡先', synonyms: /コンタクト/ },
  { term: 'ボット', synonyms: /チャットボット/ },
];

const root = new URL('../../', import.meta.url);
const files = [
  ...readdirSync(new URL('dashboard/texts/', root))
    .filter((name) => !name.endsWith('.test.ts'))
    .map((name) => `dashboard/texts/${name}`),
  'widget/texts.ts',
  'simulator/shop-page.ts',
];

test('each thing has one term in 繁體中文 and 日本語', () => {
  const found: string[] = [];
  for (const file of files) {
    for (const line of readFileSync(new URL(file, root), 'utf8').split('\n')) {
      for (const { term, synonyms, except } of glossary) {
        if (file === except) continue;
        const [word] = synonyms.exec(line) ?? [];
        if (word) found.push(`${file}: ${word} instead of ${term}: ${line.trim()}`);
      }
    }
  }
  assert.deepEqual(found, []);
});

test('every term of the glossary is in use', () => {
  const texts = files.map((file) => readFileSync(new URL(file, root), 'utf8')).join('\n');
  for (const { term } of glossary) assert.ok(texts.includes(term), term);
});
