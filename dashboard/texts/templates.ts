/** Texts of the message templates. */
import { defineTexts } from '../preferences/language.ts';

export const t = defineTexts('templates', {
  listNote: {
    en: 'Saved messages for sends. Agents insert the same list as saved replies in live chat.',
    ja: '一斉送信に使う保存済みメッセージ。ライブチャットでは定型文として使えます。',
    'zh-Hant': '供發送使用的已儲存訊息；客服人員也可在即時客服中作為常用回覆。',
  },
  newTemplate: { en: 'New template', ja: '新しいテンプレート', 'zh-Hant': '新增範本' },
  editTemplate: { en: 'Edit template', ja: 'テンプレートを編集', 'zh-Hant': '編輯範本' },
  noTemplates: {
    en: 'No templates yet',
    ja: 'テンプレートがまだありません',
    'zh-Hant': '目前沒有範本',
  },
  noTemplatesHint: {
    en: 'Create one to send it to many contacts, or to answer visitors with one click.',
    ja: '作成すると、一斉送信や訪問者への返信にすぐ使えます。',
    'zh-Hant': '建立後即可用於發送，或一鍵回覆訪客。',
  },
  name: { en: 'Name', ja: '名前', 'zh-Hant': '名稱' },
  message: { en: 'Message', ja: 'メッセージ', 'zh-Hant': '訊息' },
  ownTexts: { en: 'Own text for', ja: '個別の本文', 'zh-Hant': '專用內容' },
  changed: { en: 'Changed', ja: '更新日時', 'zh-Hant': '更新時間' },
  actions: { en: 'Actions', ja: '操作', 'zh-Hant': '操作' },
  edit: { en: 'Edit', ja: '編集', 'zh-Hant': '編輯' },
  editNamed: { en: 'Edit “{{name}}”', ja: '「{{name}}」を編集', 'zh-Hant': '編輯「{{name}}」' },
  remove: { en: 'Delete', ja: '削除', 'zh-Hant': '刪除' },
  removeNamed: {
    en: 'Delete “{{name}}”?',
    ja: '「{{name}}」を削除しますか？',
    'zh-Hant': '要刪除「{{name}}」嗎？',
  },
  removeHint: {
    en: 'Sends that exist keep their text. Calls with its id as intentId fail from now on.',
    ja: '作成済みの配信の本文は変わりません。この ID を intentId とする呼び出しは失敗するようになります。',
    'zh-Hant': '已建立的發送內容不變；以此 ID 作為 intentId 的呼叫將會失敗。',
  },
  saved: { en: 'Saved “{{name}}”.', ja: '「{{name}}」を保存しました。', 'zh-Hant': '已儲存「{{name}}」。' },
  removed: {
    en: 'Deleted “{{name}}”.',
    ja: '「{{name}}」を削除しました。',
    'zh-Hant': '已刪除「{{name}}」。',
  },
  id: { en: 'Id (intentId)', ja: 'ID（intentId）', 'zh-Hant': 'ID（intentId）' },
  forPlatforms: {
    en: 'Texts for single platforms',
    ja: 'プラットフォーム別の本文',
    'zh-Hant': '各平台專用內容',
  },
  forPlatformsHint: {
    en: 'Empty: the text above.',
    ja: '空欄の場合は上の本文を使います。',
    'zh-Hant': '留空則使用上方內容。',
  },
  textOf: { en: 'Text on {{platform}}', ja: '{{platform}} の本文', 'zh-Hant': '{{platform}} 的內容' },
  ownReplies: {
    en: 'Other quick replies on {{platform}}',
    ja: '{{platform}} のクイックリプライを変える',
    'zh-Hant': '{{platform}} 使用其他快速回覆',
  },
});
