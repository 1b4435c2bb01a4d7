/** Texts of the messages page, with LINE's own terms. */
import { defineTexts } from '../preferences/language.ts';

export const t = defineTexts('messages', {
  byDay: { en: 'Messages over time', ja: 'メッセージ数の推移', 'zh-Hant': '訊息數趨勢' },
  direction: { en: 'Received or sent', ja: '受信・送信', 'zh-Hant': '收到或發出' },
  inbound: { en: 'Received', ja: '受信', 'zh-Hant': '收到' },
  outbound: { en: 'Sent', ja: '送信', 'zh-Hant': '發出' },
  both: { en: 'Both', ja: '両方', 'zh-Hant': '兩者' },
  inboundNote: {
    en: 'Received, by platform.',
    ja: '受信数（プラットフォーム別）。',
    'zh-Hant': '收到的訊息，依平台。',
  },
  outboundNote: {
    en: 'Sent, by platform; counted once per recipient.',
    ja: '送信数（プラットフォーム別）。受信者1人につき1通と数えます。',
    'zh-Hant': '發出的訊息，依平台；每位收件者計一則。',
  },
  bothNote: {
    en: 'All platforms together.',
    ja: '全プラットフォームの合計。',
    'zh-Hant': '所有平台合計。',
  },

  quota: { en: 'LINE quota', ja: 'LINE のメッセージ通数', 'zh-Hant': 'LINE 訊息則數' },
  quotaNotAsked: {
    en: 'No quota data from LINE yet',
    ja: 'メッセージ通数はまだ取得していません',
    'zh-Hant': '尚未取得 LINE 訊息則數',
  },
  quotaNotAskedHint: {
    en: 'It appears after LINE’s figures are collected. This needs the channel access token.',
    ja: 'LINE の統計情報を取得すると表示されます。取得にはチャネルアクセストークンが必要です。',
    'zh-Hant': '取得 LINE 的統計資料後即會顯示；需設定頻道的存取權杖（Channel access token）。',
  },
  used: {
    en: 'LINE quota used this month',
    ja: '今月の LINE 配信数',
    'zh-Hant': '本月 LINE 已用則數',
  },
  ofQuota: {
    en: '{{share}} of {{quota}}',
    ja: '{{quota}}通のうち {{share}}',
    'zh-Hant': '{{quota}} 則中的 {{share}}',
  },
  noLimit: {
    en: 'LINE sets no limit, or has not reported one.',
    ja: '上限がないか、LINE から通知されていません。',
    'zh-Hant': 'LINE 未設上限，或未提供上限。',
  },
  expected: { en: 'Expected at month end', ja: '月末の見込み', 'zh-Hant': '預估月底用量' },
  expectedNote: {
    en: 'At the current rate.',
    ja: 'これまでのペースが続いた場合です。',
    'zh-Hant': '以目前速度推估。',
  },
  expectedUnknown: {
    en: 'Not known yet: too little data for this month.',
    ja: '今月のデータがまだ足りないため算出できません。',
    'zh-Hant': '本月資料尚不足，無法推估。',
  },
  over: {
    en: '{{count}} over the quota',
    ja: '上限を{{count}}通超過する見込み',
    'zh-Hant': '預估超出額度 {{count}} 則',
  },
  within: {
    en: 'Within the quota of {{quota}}',
    ja: '上限（{{quota}}通）の範囲内',
    'zh-Hant': '在額度 {{quota}} 則之內',
  },
  usedByDay: {
    en: 'LINE quota this month',
    ja: '今月の LINE メッセージ通数',
    'zh-Hant': '本月 LINE 訊息則數',
  },
  quotaOfMonth: { en: 'Quota', ja: '上限', 'zh-Hant': '額度' },
  quotaAsOf: {
    en: 'Reported by LINE on {{day}}',
    ja: '{{day}}時点（LINE 提供）',
    'zh-Hant': '{{day}} 由 LINE 提供',
  },

  byKind: { en: 'Sent on LINE by kind', ja: 'LINE の配信数（種類別）', 'zh-Hant': 'LINE 發送數（依類型）' },
  byKindNote: {
    en: 'LINE days (UTC+9); counted once per recipient.',
    ja: '日付は LINE の基準（UTC+9）。受信者1人につき1通と数えます。',
    'zh-Hant': '日期以 LINE（UTC+9）為準；每位收件者計一則。',
  },
  byGateway: {
    en: {
      one: '{{count}} day without figures from LINE shows sends through the gateway.',
      other: '{{count}} days without figures from LINE show sends through the gateway.',
    },
    ja: 'LINE の数値がまだない{{count}}日分は、ゲートウェイ経由の送信数です。',
    'zh-Hant': '其中 {{count}} 天 LINE 尚未提供數據，顯示經由閘道發送的數量。',
  },
  withoutData: {
    en: { one: 'No data for {{count}} day.', other: 'No data for {{count}} days.' },
    ja: '{{count}}日分は不明です。',
    'zh-Hant': '其中 {{count}} 天沒有資料。',
  },
  noKinds: {
    en: 'No data on LINE sends in this range',
    ja: 'この期間の LINE 配信数はわかっていません',
    'zh-Hant': '此期間沒有 LINE 發送資料',
  },
  noKindsHint: {
    en: 'It comes from LINE’s figures, after they are collected, and from sends through the gateway.',
    ja: 'LINE の統計情報を取得するか、ゲートウェイ経由で送信すると表示されます。',
    'zh-Hant': '取得 LINE 的統計資料，或經由閘道發送後即會顯示。',
  },

  hours: { en: 'Hours of the week', ja: '曜日・時間帯別', 'zh-Hant': '各時段訊息數' },
  hoursNote: {
    en: 'Messages by weekday and hour.',
    ja: '曜日と時間帯ごとのメッセージ数。',
    'zh-Hant': '依星期與時段統計的訊息數。',
  },
  hoursNoteWithoutLine: {
    en: 'Messages by weekday and hour, without LINE: it reports sends by day only.',
    ja: '曜日と時間帯ごとのメッセージ数。LINE の送信数は日単位のみのため含みません。',
    'zh-Hant': '依星期與時段統計的訊息數；LINE 的發送數僅提供每日數據，故不含在內。',
  },
  weekday: { en: 'Weekday', ja: '曜日', 'zh-Hant': '星期' },
  hoursUnknown: {
    en: 'Not known by the hour',
    ja: '時間帯別の数値はありません',
    'zh-Hant': '沒有依時段的資料',
  },
  hoursUnknownHint: {
    en: 'LINE reports sends by day only.',
    ja: 'LINE の送信数は日単位でのみ提供されます。',
    'zh-Hant': 'LINE 的發送數僅提供每日數據。',
  },
});
