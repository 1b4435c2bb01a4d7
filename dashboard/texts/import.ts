/** Texts of imports of files. */
import { defineTexts } from '../preferences/language.ts';

export const t = defineTexts('import', {
  import: { en: 'Import…', ja: 'インポート…', 'zh-Hant': '匯入…' },
  file: { en: 'File', ja: 'ファイル', 'zh-Hant': '檔案' },
  fileHint: {
    en: 'CSV (UTF-8, with a header line) or NDJSON. Columns: {{columns}}.',
    ja: 'CSV（UTF-8、見出し行つき）または NDJSON。列：{{columns}}。',
    'zh-Hant': 'CSV（UTF-8，含標題列）或 NDJSON。欄位：{{columns}}。',
  },
  noFile: { en: 'Choose a file.', ja: 'ファイルを選択してください。', 'zh-Hant': '請選擇檔案。' },
  createContacts: {
    en: 'Add unknown contacts',
    ja: '不明な連絡先を追加',
    'zh-Hant': '新增未知的聯絡人',
  },
  firstLines: { en: 'First lines', ja: 'ファイルの先頭行', 'zh-Hant': '檔案的前幾行' },
  matched: {
    en: 'Matched columns: {{names}}.',
    ja: '一致した列：{{names}}。',
    'zh-Hant': '相符的欄位：{{names}}。',
  },
  missing: {
    en: 'Missing columns: {{names}}.',
    ja: '不足している列：{{names}}。',
    'zh-Hant': '缺少的欄位：{{names}}。',
  },
  others: {
    en: 'Not used for this import: {{names}}.',
    ja: 'このインポートで使わない列：{{names}}。',
    'zh-Hant': '此次匯入不使用的欄位：{{names}}。',
  },
  noRows: { en: 'The file has no lines.', ja: 'データの行がありません。', 'zh-Hant': '檔案中沒有資料行。' },
  noColumns: {
    en: 'The file has no columns that can be read.',
    ja: '読み取れる列がありません。',
    'zh-Hant': '檔案中沒有可讀取的欄位。',
  },
  check: { en: 'Check the file', ja: 'ファイルを確認', 'zh-Hant': '檢查檔案' },
  start: { en: 'Import', ja: 'インポート', 'zh-Hant': '匯入' },
  lines: {
    en: { one: '{{count}} line, all valid.', other: '{{count}} lines, all valid.' },
    ja: '{{count}}行すべて有効です。',
    'zh-Hant': '共 {{count}} 行，全部有效。',
  },
  added: {
    en: { one: '{{count}} new entry', other: '{{count}} new entries' },
    ja: '新規 {{count}}件',
    'zh-Hant': '新增 {{count}} 筆',
  },
  updated: {
    en: { one: '{{count}} changed entry', other: '{{count}} changed entries' },
    ja: '変更 {{count}}件',
    'zh-Hant': '變更 {{count}} 筆',
  },
  tagged: {
    en: { one: '{{count}} tag assigned', other: '{{count}} tags assigned' },
    ja: 'タグ付け {{count}}件',
    'zh-Hant': '貼上 {{count}} 個標籤',
  },
  written: {
    en: { one: '{{count}} new entry', other: '{{count}} new entries' },
    ja: '新規 {{count}}件',
    'zh-Hant': '新增 {{count}} 筆',
  },
  repeated: {
    en: '{{count}} imported before',
    ja: 'インポート済み {{count}}件',
    'zh-Hant': '先前已匯入 {{count}} 筆',
  },
  nothing: {
    en: 'The file changes nothing.',
    ja: 'このファイルによる変更はありません。',
    'zh-Hant': '此檔案不會造成任何變更。',
  },
  done: {
    en: 'Imported: {{counts}}.',
    ja: 'インポートしました：{{counts}}。',
    'zh-Hant': '已匯入：{{counts}}。',
  },
});
