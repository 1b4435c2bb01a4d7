/** Texts of the page with tags, imports and checks. */
import { defineTexts } from '../preferences/language.ts';

export const t = defineTexts('data', {
  note: {
    en: 'Tags, imports of files, and checks of figures and points.',
    ja: 'タグ、ファイルのインポート、数値とポイントの確認。',
    'zh-Hant': '標籤、檔案匯入，以及數據與點數的檢查。',
  },
  readOnly: {
    en: 'You can read this bot, but not change it.',
    ja: 'このボットの閲覧はできますが、変更はできません。',
    'zh-Hant': '您可以檢視此機器人，但無法變更。',
  },
  actions: { en: 'Actions', ja: '操作', 'zh-Hant': '操作' },

  tagsNote: {
    en: 'Assign a tag on a contact’s page, or with an import of contacts.',
    ja: 'タグは連絡先のページ、または連絡先のインポートで付けられます。',
    'zh-Hant': '可在聯絡人頁面，或以匯入聯絡人的方式貼上標籤。',
  },
  newTag: { en: 'New tag', ja: '新しいタグ', 'zh-Hant': '新增標籤' },
  name: { en: 'Name', ja: '名前', 'zh-Hant': '名稱' },
  edit: { en: 'Edit', ja: '編集', 'zh-Hant': '編輯' },
  delete: { en: 'Delete', ja: '削除', 'zh-Hant': '刪除' },
  editNamed: { en: 'Edit tag {{tag}}', ja: 'タグ「{{tag}}」を編集', 'zh-Hant': '編輯標籤「{{tag}}」' },
  deleteNamed: { en: 'Delete tag {{tag}}', ja: 'タグ「{{tag}}」を削除', 'zh-Hant': '刪除標籤「{{tag}}」' },
  deleteAsk: {
    en: 'The tag is removed from its contacts ({{contacts}}). This cannot be undone.',
    ja: 'このタグは付いている連絡先（{{contacts}}件）からも外れます。元に戻せません。',
    'zh-Hant': '此標籤會從所有聯絡人（{{contacts}} 位）移除，且無法復原。',
  },
  deleted: {
    en: 'Tag {{tag}} deleted.',
    ja: 'タグ「{{tag}}」を削除しました。',
    'zh-Hant': '已刪除標籤「{{tag}}」。',
  },
  saved: {
    en: 'Tag {{tag}} saved.',
    ja: 'タグ「{{tag}}」を保存しました。',
    'zh-Hant': '已儲存標籤「{{tag}}」。',
  },
  lifeCycle: { en: 'Expires after', ja: '有効期間', 'zh-Hant': '有效期限' },
  days: {
    en: { one: '{{count}} day', other: '{{count}} days' },
    ja: '{{count}}日',
    'zh-Hant': '{{count}} 天',
  },
  expires: {
    en: 'Remove it from contacts after some days',
    ja: '一定の日数が過ぎたら連絡先から外す',
    'zh-Hant': '經過一段天數後從聯絡人移除',
  },
  lifeCycleDays: { en: 'Days', ja: '日数', 'zh-Hant': '天數' },
  daysWrong: {
    en: 'Enter 1 to 36500 days.',
    ja: '1〜36500日で入力してください。',
    'zh-Hant': '請輸入 1 到 36500 天。',
  },

  imports: { en: 'Imports', ja: 'インポート', 'zh-Hant': '匯入' },
  importsNote: {
    en: 'A file is checked first: you see its columns, the result, or the bad lines. It is imported completely or not at all.',
    ja: 'まずファイルを確認し、列と結果、または誤りのある行を表示します。全行をインポートするか、何も変更しないかのどちらかです。',
    'zh-Hant': '系統會先檢查檔案，並顯示欄位與結果或有誤的行。檔案會全部匯入，否則不做任何變更。',
  },
  importOf: { en: 'Import: {{what}}', ja: 'インポート：{{what}}', 'zh-Hant': '匯入：{{what}}' },
  'import-contacts': { en: 'Contacts', ja: '連絡先', 'zh-Hant': '聯絡人' },
  'import-points': { en: 'Points', ja: 'ポイント', 'zh-Hant': '點數' },
  'import-catalogue': { en: 'Gifts', ja: '特典', 'zh-Hant': '獎勵' },
  'import-gifts': { en: 'Grants of gifts', ja: '特典の付与', 'zh-Hant': '獎勵發放' },
  'import-redemptions': { en: 'Redemptions', ja: '特典の引き換え', 'zh-Hant': '獎勵兌換' },
  'about-contacts': {
    en: 'Profiles, customer numbers and tags.',
    ja: 'プロフィール、顧客番号、タグ。',
    'zh-Hant': '個人資料、顧客編號與標籤。',
  },
  'about-points': {
    en: 'Positive amounts add points, negative ones take them.',
    ja: '正の数で加算、負の数で減算します。',
    'zh-Hant': '正數為增加點數，負數為扣除點數。',
  },
  'about-catalogue': {
    en: 'The gifts of the catalogue, with stock and expiry.',
    ja: 'カタログの特典（在庫と有効期限つき）。',
    'zh-Hant': '目錄中的獎勵，含庫存與期限。',
  },
  'about-gifts': {
    en: 'Gifts for contacts.',
    ja: '連絡先への特典の付与。',
    'zh-Hant': '將獎勵發放給聯絡人。',
  },
  'about-redemptions': {
    en: 'Granted gifts that were redeemed.',
    ja: '引き換え済みの特典。',
    'zh-Hant': '已兌換的獎勵。',
  },

  figureCheck: { en: 'Figures and events', ja: '数値とイベント', 'zh-Hant': '數據與事件' },
  figureCheckNote: {
    en: 'Recomputes every figure of this bot from its events.',
    ja: 'このボットのすべての数値をイベントから計算し直します。',
    'zh-Hant': '由事件重新計算此機器人的所有數據。',
  },
  checkFigures: { en: 'Check the figures', ja: '数値を確認', 'zh-Hant': '檢查數據' },
  correctFigures: { en: 'Correct the figures', ja: '数値を修正', 'zh-Hant': '修正數據' },
  correctAsk: {
    en: 'The stored figures are replaced by those from the events. New messages are counted afterwards.',
    ja: '保存されている数値を、イベントから計算した数値に置き換えます。新しいメッセージはその後に数えられます。',
    'zh-Hant': '已儲存的數據會由事件計算的結果取代，新訊息會在之後計入。',
  },
  figuresRight: {
    en: 'All figures match the events.',
    ja: 'すべての数値がイベントと一致しています。',
    'zh-Hant': '所有數據皆與事件相符。',
  },
  figuresWrong: {
    en: 'Some figures do not match the events.',
    ja: 'イベントと一致しない数値があります。',
    'zh-Hant': '部分數據與事件不符。',
  },
  figuresCorrected: {
    en: 'These figures are corrected.',
    ja: '次の数値を修正しました。',
    'zh-Hant': '已修正以下數據。',
  },
  differences: { en: 'Differences', ja: '差異', 'zh-Hant': '差異' },
  where: { en: 'Figure', ja: '数値', 'zh-Hant': '數據' },
  stored: { en: 'Stored', ja: '保存値', 'zh-Hant': '儲存值' },
  recounted: { en: 'From the events', ja: 'イベントからの値', 'zh-Hant': '由事件計算' },

  pointsCheck: { en: 'Points ledger', ja: 'ポイント台帳', 'zh-Hant': '點數帳本' },
  pointsCheckNote: {
    en: 'Checks that each balance is the sum of its entries, and that transfers and reversals are complete.',
    ja: '各残高が明細の合計と一致し、移動と取消が揃っていることを確認します。',
    'zh-Hant': '檢查每個餘額是否等於明細總和，以及轉移與撤銷是否完整。',
  },
  checkPoints: { en: 'Check the points', ja: 'ポイントを確認', 'zh-Hant': '檢查點數' },
  pointsRight: {
    en: 'Every balance is correct.',
    ja: 'すべての残高が正しい値です。',
    'zh-Hant': '所有餘額皆正確。',
  },
  pointsWrong: {
    en: 'The points of these contacts are wrong.',
    ja: '次の連絡先のポイントに誤りがあります。',
    'zh-Hant': '以下聯絡人的點數有誤。',
  },
  contact: { en: 'Contact', ja: '連絡先', 'zh-Hant': '聯絡人' },
  balance: { en: 'Balance', ja: '残高', 'zh-Hant': '餘額' },
  entries: { en: 'Sum of entries', ja: '明細の合計', 'zh-Hant': '明細總和' },
  lots: { en: 'Sum of lots', ja: 'ロットの合計', 'zh-Hant': '批次總和' },
});
