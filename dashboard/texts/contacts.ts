/** Texts of the list of contacts. */
import { defineTexts } from '../preferences/language.ts';

export const t = defineTexts('contacts', {
  listNote: {
    en: 'Newest first, without deleted contacts.',
    ja: '新しい順。データを削除した連絡先は表示されません。',
    'zh-Hant': '由新到舊排列，不含已刪除個人資料的聯絡人。',
  },
  find: { en: 'Find contacts', ja: '連絡先を検索', 'zh-Hant': '搜尋聯絡人' },
  searchBy: { en: 'Search in', ja: '検索対象', 'zh-Hant': '搜尋欄位' },
  search: { en: 'Search', ja: '検索', 'zh-Hant': '搜尋' },
  name: { en: 'Name', ja: '名前', 'zh-Hant': '名稱' },
  id: { en: 'Id', ja: 'ID', 'zh-Hant': 'ID' },
  customerId: { en: 'Customer id', ja: '顧客 ID', 'zh-Hant': '顧客編號' },
  nameExample: { en: 'Part of a name', ja: '名前の一部', 'zh-Hant': '名稱的一部分' },
  idExample: { en: 'Full id', ja: 'ID（完全一致）', 'zh-Hant': '完整 ID' },
  customerIdExample: { en: 'Full customer id', ja: '顧客 ID（完全一致）', 'zh-Hant': '完整顧客編號' },
  tag: { en: 'Tag', ja: 'タグ', 'zh-Hant': '標籤' },
  anyTag: { en: 'Any', ja: 'すべて', 'zh-Hant': '不限' },
  platform: { en: 'Platform', ja: 'プラットフォーム', 'zh-Hant': '平台' },
  state: { en: 'State', ja: '状態', 'zh-Hant': '狀態' },
  anyState: { en: 'Any', ja: 'すべて', 'zh-Hant': '不限' },
  blocked: { en: 'Blocked', ja: 'ブロック中', 'zh-Hant': '已封鎖' },
  notBlocked: { en: 'Not blocked', ja: 'ブロックなし', 'zh-Hant': '未封鎖' },
  follower: { en: 'Follower', ja: '友だち', 'zh-Hant': '好友' },
  noFollower: { en: 'Not a follower', ja: '友だち未登録', 'zh-Hant': '非好友' },
  clear: { en: 'Clear', ja: 'クリア', 'zh-Hant': '清除條件' },

  contact: { en: 'Contact', ja: '連絡先', 'zh-Hant': '聯絡人' },
  tags: { en: 'Tags', ja: 'タグ', 'zh-Hant': '標籤' },
  points: { en: 'Points', ja: 'ポイント', 'zh-Hant': '點數' },
  lastInteract: { en: 'Last active', ja: '最終アクション', 'zh-Hant': '最近互動' },
  unnamed: { en: 'Unknown name', ja: '名前なし', 'zh-Hant': '未提供名稱' },

  noContacts: { en: 'No contacts yet', ja: '連絡先がまだありません', 'zh-Hant': '目前沒有聯絡人' },
  noContactsHint: {
    en: 'People appear here after they follow or message the bot.',
    ja: '友だち追加やメッセージの送信があると表示されます。',
    'zh-Hant': '有人加入好友或傳送訊息後，就會顯示在這裡。',
  },
  noneFound: {
    en: 'No matching contacts',
    ja: '条件に一致する連絡先はありません',
    'zh-Hant': '沒有符合條件的聯絡人',
  },
  noneFoundHint: {
    en: 'Enter full ids, customer ids and tags; part of a name is enough.',
    ja: 'ID・顧客 ID・タグは完全一致、名前は部分一致で検索します。',
    'zh-Hant': 'ID、顧客編號與標籤需完整輸入；名稱可只輸入一部分。',
  },

  exports: { en: 'Export', ja: 'エクスポート', 'zh-Hant': '匯出' },
  exportsNote: {
    en: 'All current data of the bot, as CSV for spreadsheets. It contains personal data: handle it with care.',
    ja: '現時点のすべてのデータを、表計算ソフトで開ける CSV で出力します。個人情報を含むため取り扱いにご注意ください。',
    'zh-Hant': '匯出此機器人目前的全部資料（CSV，可用試算表開啟）。內含個人資料，請妥善保管。',
  },
  'export-contacts': { en: 'Contacts', ja: '連絡先', 'zh-Hant': '聯絡人' },
  'export-events': { en: 'Events', ja: 'イベント', 'zh-Hant': '事件' },
  'export-conversations': { en: 'Conversations', ja: '会話', 'zh-Hant': '對話' },
  'export-points': { en: 'Points', ja: 'ポイント', 'zh-Hant': '點數' },
});
