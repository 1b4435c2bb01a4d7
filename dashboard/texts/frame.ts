/** Texts of the frame: navigation, sign-in, ranges, and what every page says alike. */
import { defineTexts } from '../language.ts';

export const t = defineTexts('frame', {
  overview: { en: 'Overview', ja: '概要', 'zh-Hant': '總覽' },
  audience: { en: 'Audience', ja: 'オーディエンス', 'zh-Hant': '受眾' },
  messages: { en: 'Messages', ja: 'メッセージ', 'zh-Hant': '訊息' },
  conversations: { en: 'Conversations', ja: '会話', 'zh-Hant': '對話' },
  sends: { en: 'Sends', ja: '配信', 'zh-Hant': '發送' },
  points: { en: 'Points', ja: 'ポイント', 'zh-Hant': '點數' },
  contacts: { en: 'Contacts', ja: '連絡先', 'zh-Hant': '聯絡人' },
  'live-chat': { en: 'Live chat', ja: 'ライブチャット', 'zh-Hant': '即時聊天' },
  reconciliation: { en: 'Reconciliation', ja: '照合', 'zh-Hant': '對帳' },
  health: { en: 'Health', ja: '稼働状況', 'zh-Hant': '運作狀況' },
  settings: { en: 'Settings', ja: '設定', 'zh-Hant': '設定' },

  figures: { en: 'Figures', ja: '数値', 'zh-Hant': '數據' },
  people: { en: 'People', ja: '人', 'zh-Hant': '人' },
  operation: { en: 'Operation', ja: '運用', 'zh-Hant': '營運' },

  skip: { en: 'Skip to the content', ja: '本文へ移動', 'zh-Hant': '跳到主要內容' },
  navigation: { en: 'Pages', ja: 'ページ', 'zh-Hant': '頁面' },
  menu: { en: 'Menu', ja: 'メニュー', 'zh-Hant': '選單' },
  bot: { en: 'Bot', ja: 'ボット', 'zh-Hant': '機器人' },
  language: { en: 'Language', ja: '言語', 'zh-Hant': '語言' },
  theme: { en: 'Theme', ja: 'テーマ', 'zh-Hant': '主題' },
  system: { en: 'As the system', ja: 'システムに従う', 'zh-Hant': '跟隨系統' },
  light: { en: 'Light', ja: 'ライト', 'zh-Hant': '淺色' },
  dark: { en: 'Dark', ja: 'ダーク', 'zh-Hant': '深色' },
  signedInAs: { en: 'Signed in as {{name}}', ja: '{{name}} でサインイン中', 'zh-Hant': '已登入：{{name}}' },
  signOut: { en: 'Sign out', ja: 'サインアウト', 'zh-Hant': '登出' },

  signIn: { en: 'Sign in', ja: 'サインイン', 'zh-Hant': '登入' },
  signInIntro: {
    en: 'The figures of your messaging channels.',
    ja: 'メッセージチャネルの数値を確認できます。',
    'zh-Hant': '查看您各訊息管道的數據。',
  },
  signingIn: { en: 'Signing in…', ja: 'サインインしています…', 'zh-Hant': '登入中…' },
  userName: { en: 'User name', ja: 'ユーザー名', 'zh-Hant': '使用者名稱' },
  password: { en: 'Password', ja: 'パスワード', 'zh-Hant': '密碼' },
  adminToken: { en: 'Admin token', ja: '管理トークン', 'zh-Hant': '管理權杖' },
  adminTokenHint: {
    en: 'Made by “shoal admin-token create”.',
    ja: '「shoal admin-token create」で作成します。',
    'zh-Hant': '以「shoal admin-token create」建立。',
  },
  useToken: {
    en: 'Sign in with an admin token',
    ja: '管理トークンでサインイン',
    'zh-Hant': '改用管理權杖登入',
  },
  usePassword: {
    en: 'Sign in with user name and password',
    ja: 'ユーザー名とパスワードでサインイン',
    'zh-Hant': '改用使用者名稱與密碼登入',
  },
  required: { en: 'Please fill this in.', ja: '入力してください。', 'zh-Hant': '請填寫此欄位。' },
  signInFailed: {
    en: 'That does not open anything. Check what you entered and try again.',
    ja: 'サインインできませんでした。入力内容を確認してもう一度お試しください。',
    'zh-Hant': '無法登入。請檢查輸入的內容後再試一次。',
  },
  expired: {
    en: 'Your session has ended. Sign in again and you will be back where you were.',
    ja: 'セッションが終了しました。もう一度サインインすると元のページに戻ります。',
    'zh-Hant': '您的登入已結束。重新登入後會回到原本的頁面。',
  },

  range: { en: 'Days', ja: '期間', 'zh-Hant': '期間' },
  today: { en: 'Today', ja: '今日', 'zh-Hant': '今天' },
  lastDays: {
    en: { one: '{{count}} day', other: '{{count}} days' },
    ja: '{{count}}日間',
    'zh-Hant': '{{count}} 天',
  },
  ownRange: { en: 'Own…', ja: '指定…', 'zh-Hant': '自訂…' },
  from: { en: 'From', ja: '開始日', 'zh-Hant': '開始日' },
  to: { en: 'To', ja: '終了日', 'zh-Hant': '結束日' },
  apply: { en: 'Show', ja: '表示', 'zh-Hant': '顯示' },
  unreadable: { en: 'Enter both days.', ja: '両方の日付を入力してください。', 'zh-Hant': '請輸入兩個日期。' },
  backwards: {
    en: 'The first day must not lie after the last.',
    ja: '開始日は終了日より後にできません。',
    'zh-Hant': '開始日不可晚於結束日。',
  },
  'too-long': {
    en: 'At most 1,100 days.',
    ja: '1,100日以内で指定してください。',
    'zh-Hant': '最多 1,100 天。',
  },
  zone: { en: 'Time zone: {{zone}}', ja: 'タイムゾーン：{{zone}}', 'zh-Hant': '時區：{{zone}}' },

  loading: { en: 'Loading…', ja: '読み込んでいます…', 'zh-Hant': '載入中…' },
  retry: { en: 'Try again', ja: '再試行', 'zh-Hant': '重試' },
  more: { en: 'Show more', ja: 'さらに表示', 'zh-Hant': '顯示更多' },
  close: { en: 'Close', ja: '閉じる', 'zh-Hant': '關閉' },
  cancel: { en: 'Cancel', ja: 'キャンセル', 'zh-Hant': '取消' },
  save: { en: 'Save', ja: '保存', 'zh-Hant': '儲存' },
  copy: { en: 'Copy', ja: 'コピー', 'zh-Hant': '複製' },
  copyWhat: { en: 'Copy: {{what}}', ja: '{{what}}をコピー', 'zh-Hant': '複製{{what}}' },
  copied: { en: 'Copied: {{what}}', ja: '{{what}}をコピーしました', 'zh-Hant': '已複製{{what}}' },
  notCopied: {
    en: 'The browser did not copy it. Select it and copy it yourself.',
    ja: 'コピーできませんでした。選択して手動でコピーしてください。',
    'zh-Hant': '瀏覽器無法複製，請選取後自行複製。',
  },
  none: { en: 'Nothing here yet', ja: 'まだ何もありません', 'zh-Hant': '目前沒有資料' },
  notUpdating: {
    en: 'Not up to date: the last attempt failed. It will be tried again.',
    ja: '最新の状態ではありません。前回の取得に失敗しました。再取得します。',
    'zh-Hant': '資料可能不是最新：上次更新失敗，稍後會自動重試。',
  },

  unreachable: {
    en: 'The server cannot be reached.',
    ja: 'サーバーに接続できません。',
    'zh-Hant': '無法連線到伺服器。',
  },
  rateLimited: {
    en: 'Too many calls just now. Please wait a moment.',
    ja: 'リクエストが多すぎます。しばらくお待ちください。',
    'zh-Hant': '請求過於頻繁，請稍候再試。',
  },
  forbidden: {
    en: 'You may not do this.',
    ja: 'この操作を行う権限がありません。',
    'zh-Hant': '您沒有執行此操作的權限。',
  },
  notFound: {
    en: 'There is no such thing, or it is not for you.',
    ja: '見つからないか、アクセス権がありません。',
    'zh-Hant': '找不到，或您沒有存取權限。',
  },
  failed: { en: 'That did not work.', ja: '処理できませんでした。', 'zh-Hant': '操作失敗。' },
  serverFailed: {
    en: 'The server has a problem.',
    ja: 'サーバーで問題が発生しました。',
    'zh-Hant': '伺服器發生問題。',
  },

  pageNotFound: { en: 'There is no such page', ja: 'ページが見つかりません', 'zh-Hant': '找不到此頁面' },
  toOverview: { en: 'To the overview', ja: '概要へ', 'zh-Hant': '前往總覽' },
  noBots: { en: 'There is no bot yet', ja: 'ボットがまだありません', 'zh-Hant': '目前沒有機器人' },
  noBotsHint: {
    en: 'Make one with “shoal bot create --name NAME”.',
    ja: '「shoal bot create --name NAME」で作成してください。',
    'zh-Hant': '請以「shoal bot create --name NAME」建立。',
  },

  chart: { en: 'Chart', ja: 'グラフ', 'zh-Hant': '圖表' },
  table: { en: 'Table', ja: '表', 'zh-Hant': '表格' },
  csv: { en: 'CSV', ja: 'CSV', 'zh-Hant': 'CSV' },
  downloadCsv: {
    en: 'Download “{{title}}” as CSV',
    ja: '「{{title}}」を CSV でダウンロード',
    'zh-Hant': '下載「{{title}}」CSV',
  },
  viewOf: { en: 'View of “{{title}}”', ja: '「{{title}}」の表示', 'zh-Hant': '「{{title}}」的顯示方式' },
  chartOf: {
    en: 'Chart: {{title}}. The same numbers are in the table.',
    ja: 'グラフ：{{title}}。同じ数値を表で確認できます。',
    'zh-Hant': '圖表：{{title}}。表格中有相同的數字。',
  },
  day: { en: 'Day', ja: '日付', 'zh-Hant': '日期' },
  name: { en: 'Name', ja: '項目', 'zh-Hant': '項目' },
  noValues: { en: 'No figures in these days', ja: 'この期間の数値はありません', 'zh-Hant': '此期間沒有數據' },
  hour: { en: 'Hour', ja: '時', 'zh-Hant': '時' },

  up: {
    en: '{{change}} more than {{before}}',
    ja: '{{before}} から {{change}} 増',
    'zh-Hant': '比 {{before}} 多 {{change}}',
  },
  down: {
    en: '{{change}} less than {{before}}',
    ja: '{{before}} から {{change}} 減',
    'zh-Hant': '比 {{before}} 少 {{change}}',
  },
  same: {
    en: 'As before',
    ja: '前期間と同じ',
    'zh-Hant': '與前期相同',
  },
  sort: { en: 'Sort by {{column}}', ja: '{{column}}で並べ替え', 'zh-Hant': '依{{column}}排序' },

  all: { en: 'All platforms', ja: '全プラットフォーム', 'zh-Hant': '所有平台' },
  liveChat: { en: 'Live chat', ja: 'ライブチャット', 'zh-Hant': '即時聊天' },
});
