/** Texts of a new message to many contacts. */
import { defineTexts } from '../preferences/language.ts';

export const t = defineTexts('compose', {
  newSend: { en: 'New message', ja: '新しいメッセージ', 'zh-Hant': '新訊息' },
  name: { en: 'Name', ja: '名前', 'zh-Hant': '名稱' },
  nameHint: {
    en: 'For this list only; contacts do not see it.',
    ja: '一覧での表示名。連絡先には表示されません。',
    'zh-Hant': '僅用於列表，聯絡人看不到。',
  },
  platform: { en: 'Platform', ja: 'プラットフォーム', 'zh-Hant': '平台' },
  template: { en: 'Message template', ja: 'テンプレート', 'zh-Hant': '訊息範本' },
  noTemplate: { en: 'None', ja: 'なし', 'zh-Hant': '無' },
  saveTemplate: { en: 'Save as a template', ja: 'テンプレートとして保存', 'zh-Hant': '另存為範本' },
  messageTag: {
    en: 'Message tag of Messenger',
    ja: 'Messenger のメッセージタグ',
    'zh-Hant': 'Messenger 訊息標籤',
  },
  messageTagHint: {
    en: 'Without one, Meta accepts messages only within 24 hours after the contact’s last message.',
    ja: 'タグがない場合、連絡先の最後のメッセージから24時間以内のみ送信できます。',
    'zh-Hant': '沒有標籤時，僅能在聯絡人最後一則訊息後 24 小時內發送。',
  },
  to: { en: 'Recipients', ja: '宛先', 'zh-Hant': '收件人' },
  'to-filter': {
    en: 'All contacts, or those with …',
    ja: 'すべての連絡先、または条件に合う連絡先',
    'zh-Hant': '所有聯絡人，或符合條件者',
  },
  'to-named': { en: 'A list of ids', ja: 'ID の一覧', 'zh-Hant': 'ID 清單' },
  onlyTag: { en: 'Tag', ja: 'タグ', 'zh-Hant': '標籤' },
  contactName: { en: 'Part of the name', ja: '名前の一部', 'zh-Hant': '名稱的一部分' },
  customerId: { en: 'Customer id', ja: '顧客 ID', 'zh-Hant': '顧客編號' },
  createdFrom: { en: 'First seen from', ja: '初回の記録（開始）', 'zh-Hant': '首次紀錄（起）' },
  createdTo: { en: 'First seen until', ja: '初回の記録（終了）', 'zh-Hant': '首次紀錄（迄）' },
  filterHint: {
    en: 'Empty fields do not limit. The filter applies when the send starts.',
    ja: '空欄は条件になりません。条件は送信開始時に適用されます。',
    'zh-Hant': '留空表示不限。條件於發送開始時套用。',
  },
  contacts: { en: 'Contacts', ja: '連絡先', 'zh-Hant': '聯絡人' },
  contactsHint: {
    en: 'Ids on the platform or contact ids, one per line; 10,000 at most.',
    ja: 'プラットフォームの ID または連絡先 ID を1行に1つ（10,000件まで）。',
    'zh-Hant': '平台 ID 或聯絡人 ID，每行一個，最多 10,000 個。',
  },
  startAt: { en: 'Send at', ja: '送信日時', 'zh-Hant': '發送時間' },
  startAtHint: { en: 'Empty: now.', ja: '空欄：今すぐ。', 'zh-Hant': '留空：立即。' },
  quietFrom: { en: 'Quiet from', ja: '停止（開始）', 'zh-Hant': '勿擾（起）' },
  quietUntil: { en: 'Quiet until', ja: '停止（終了）', 'zh-Hant': '勿擾（迄）' },
  quietHint: {
    en: 'Nothing is sent between these times of day. The rest goes out afterwards.',
    ja: 'この時間帯は送信しません。残りは終了後に送信します。',
    'zh-Hant': '此時段不發送，其餘於時段結束後發送。',
  },
  bothTimes: {
    en: 'Enter both times, or none.',
    ja: '両方の時刻を入力するか、両方を空欄にしてください。',
    'zh-Hant': '請同時輸入兩個時間，或都留空。',
  },
  preview: { en: 'Preview', ja: '確認', 'zh-Hant': '預覽' },
  change: { en: 'Change', ja: '修正', 'zh-Hant': '修改' },
  previewTitle: { en: 'Send this message?', ja: '送信しますか？', 'zh-Hant': '確定發送？' },
  reaches: {
    en: { one: '{{count}} contact will get it.', other: '{{count}} contacts will get it.' },
    ja: '{{count}}件の連絡先に送信します。',
    'zh-Hant': '將發送給 {{count}} 位聯絡人。',
  },
  reachesNone: {
    en: 'No contact meets these conditions, so there is nothing to send.',
    ja: '条件に合う連絡先がないため、送信できません。',
    'zh-Hant': '沒有符合條件的聯絡人，無法發送。',
  },
  leavesOut: {
    en: { one: '{{count}} blocked contact is left out.', other: '{{count}} blocked contacts are left out.' },
    ja: 'ブロック中の{{count}}件は除外します。',
    'zh-Hant': '略過 {{count}} 位已封鎖者。',
  },
  unknownIds: {
    en: {
      one: '{{count}} id belongs to no contact of the platform.',
      other: '{{count}} ids belong to no contact of the platform.',
    },
    ja: '{{count}}件の ID は該当する連絡先がありません。',
    'zh-Hant': '{{count}} 個 ID 沒有對應的聯絡人。',
  },
  quotaAfter: {
    en: 'LINE messages left this month afterwards: {{remaining}}',
    ja: '送信後の今月の残り LINE 通数：{{remaining}}',
    'zh-Hant': '發送後本月 LINE 剩餘則數：{{remaining}}',
  },
  quotaShort: {
    en: 'LINE’s monthly quota is too small: {{missing}} messages are missing. LINE pauses the send when it is used up.',
    ja: '今月の LINE 通数が {{missing}} 通不足しています。使い切ると配信は一時停止します。',
    'zh-Hant': '本月 LINE 則數不足 {{missing}} 則；用完後發送將暫停。',
  },
  startsAt: { en: 'Start: {{at}}', ja: '開始：{{at}}', 'zh-Hant': '開始：{{at}}' },
  now: { en: 'now', ja: '今すぐ', 'zh-Hant': '立即' },
  quiet: {
    en: 'Quiet from {{from}} to {{until}}.',
    ja: '{{from}}～{{until}} は送信しません。',
    'zh-Hant': '{{from}} 至 {{until}} 不發送。',
  },
  confirmMany: {
    en: 'I want to send to {{count}} contacts',
    ja: '{{count}}件に送信します',
    'zh-Hant': '我要發送給 {{count}} 位聯絡人',
  },
  confirmFirst: {
    en: 'Confirm the number of contacts first.',
    ja: '先に件数を確認してください。',
    'zh-Hant': '請先確認人數。',
  },
  sendNow: { en: 'Send', ja: '送信', 'zh-Hant': '發送' },
  notSaved: {
    en: 'The template was not saved: {{problem}}',
    ja: 'テンプレートを保存できませんでした：{{problem}}',
    'zh-Hant': '範本未儲存：{{problem}}',
  },
  created: {
    en: 'The send “{{name}}” is created.',
    ja: '配信「{{name}}」を作成しました。',
    'zh-Hant': '已建立發送「{{name}}」。',
  },
});
