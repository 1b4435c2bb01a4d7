/** Texts of the annotations of charts. */
import { defineTexts } from '../preferences/language.ts';

export const t = defineTexts('annotations', {
  annotations: { en: 'Annotations', ja: '注釈', 'zh-Hant': '註記' },
  note: {
    en: 'Marks on the charts. LINE broadcasts appear by themselves.',
    ja: 'グラフ上の目印です。LINE の一斉配信は自動で表示されます。',
    'zh-Hant': '圖表上的標記。LINE 群發會自動出現。',
  },
  add: { en: 'Add a note', ja: '注釈を追加', 'zh-Hant': '新增註記' },
  text: { en: 'Text', ja: '内容', 'zh-Hant': '內容' },
  none: { en: 'No annotations in this range', ja: 'この期間の注釈はありません', 'zh-Hant': '此期間沒有註記' },
  remove: { en: 'Delete: {{text}}', ja: '削除：{{text}}', 'zh-Hant': '刪除：{{text}}' },
  broadcast: { en: 'LINE broadcast', ja: 'LINE 一斉配信', 'zh-Hant': 'LINE 群發' },
  broadcastTo: {
    en: { one: 'LINE broadcast, {{count}} message', other: 'LINE broadcast, {{count}} messages' },
    ja: 'LINE 一斉配信（{{count}}通）',
    'zh-Hant': 'LINE 群發（{{count}} 則）',
  },
});
