/** Texts of the reconciliation, and the names of the reasons for a gap (src/line/reconciliation.ts). */
import { defineTexts } from '../preferences/language.ts';

export const reasonNames = [
  'not-told',
  'before-connected',
  'deleted-accounts',
  'deliveries-set-aside',
  'sends-outside-gateway',
  'recipients-unknown',
  'recipients-not-reached',
  'unexplained',
] as const;

export const t = defineTexts('reconciliation', {
  figure: { en: 'Figure', ja: '項目', 'zh-Hant': '項目' },
  followers: { en: 'Followers', ja: '友だち', 'zh-Hant': '好友' },
  blocks: { en: 'Blocks', ja: 'ブロック', 'zh-Hant': '封鎖' },
  sends: { en: 'Messages sent', ja: '送信メッセージ', 'zh-Hant': '發出的訊息' },
  followersNote: {
    en: 'At the end of each day. Our count uses webhook deliveries only, not LINE’s statistics.',
    ja: '各日の終わりの時点。自社集計は LINE の統計を使わず、Webhook のみで数えています。',
    'zh-Hant': '每日結束時的數字。我方只依 Webhook 計算，不採用 LINE 的統計。',
  },
  blocksNote: {
    en: 'At the end of each day. Our count uses webhook deliveries only, not LINE’s statistics.',
    ja: '各日の終わりの時点。自社集計は LINE の統計を使わず、Webhook のみで数えています。',
    'zh-Hant': '每日結束時的數字。我方只依 Webhook 計算，不採用 LINE 的統計。',
  },
  sendsNote: {
    en: 'Per day, by recipients. Our count covers sends through Shoal.',
    ja: '各日の宛先数。自社集計は Shoal 経由で送信したものです。',
    'zh-Hant': '每日發送的對象數。我方為經由 Shoal 發送的部分。',
  },
  own: { en: 'Ours', ja: '自社集計', 'zh-Hant': '我方' },
  line: { en: 'LINE', ja: 'LINE', 'zh-Hant': 'LINE' },
  gap: { en: 'Gap', ja: '差', 'zh-Hant': '差異' },
  gapNote: { en: 'Ours − LINE', ja: '自社集計 − LINE', 'zh-Hant': '我方 − LINE' },
  friendsBefore: { en: 'From before', ja: '接続前の友だち', 'zh-Hant': '連接前的好友' },
  reasons: { en: 'Possible reasons', ja: '考えられる理由', 'zh-Hant': '可能原因' },
  asOf: {
    en: '{{day}}: the last day with both counts',
    ja: '{{day}}（双方の数値がそろっている最新の日）',
    'zh-Hant': '{{day}}：雙方皆有數字的最近一天',
  },
  bothByDay: {
    en: '{{figure}}, ours and LINE',
    ja: '{{figure}}：自社集計と LINE',
    'zh-Hant': '{{figure}}：我方與 LINE',
  },
  byDay: { en: '{{figure}} by day', ja: '日別の{{figure}}', 'zh-Hant': '每日{{figure}}' },
  byDayNote: {
    en: 'Days in UTC+9, as LINE counts them. Below the table: what each reason means.',
    ja: '日付は LINE に合わせて UTC+9 です。理由の説明は表の下にあります。',
    'zh-Hant': '日期依 LINE 以 UTC+9 計算；各原因的說明在表格下方。',
  },
  noFigures: {
    en: 'No figures from LINE in this range',
    ja: 'この期間の LINE の数値はありません',
    'zh-Hant': 'LINE 尚未提供此期間的數據',
  },
  noFiguresHint: {
    en: 'Shoal collects them after the LINE channel has an access token. The health page shows the progress.',
    ja: 'LINE チャネルにアクセストークンを設定すると取得されます。状況は稼働状況のページで確認できます。',
    'zh-Hant': '為 LINE 頻道設定存取權杖後即開始收集；進度請見「運作狀況」。',
  },

  'not-told': { en: 'Not reported yet', ja: 'LINE 未提供', 'zh-Hant': 'LINE 尚未提供' },
  'not-told-meaning': {
    en: 'LINE has not reported this day yet, or it was not collected.',
    ja: 'LINE がこの日の数値をまだ提供していないか、取得していません。',
    'zh-Hant': 'LINE 尚未提供當日數據，或尚未收集。',
  },
  'before-connected': { en: 'Before connection', ja: '接続前の友だち', 'zh-Hant': '連接前的好友' },
  'before-connected-meaning': {
    en: 'LINE counts people who joined before the channel was connected.',
    ja: 'LINE はチャネル接続前からの友だちも数えます。',
    'zh-Hant': 'LINE 包含連接頻道之前就加入的人。',
  },
  'deleted-accounts': { en: 'Deleted accounts', ja: '削除済みアカウント', 'zh-Hant': '已刪除帳號' },
  'deleted-accounts-meaning': {
    en: 'LINE keeps counting deleted accounts as followers and does not report the deletion.',
    ja: 'LINE は削除されたアカウントも友だちとして数え続け、通知しません。',
    'zh-Hant': 'LINE 仍將已刪除的帳號計為好友，且不會通知。',
  },
  'deliveries-set-aside': { en: 'Set aside', ja: '保留中の受信', 'zh-Hant': '擱置資料' },
  'deliveries-set-aside-meaning': {
    en: 'Some deliveries up to this day are set aside and not counted yet. The health page lists them.',
    ja: 'この日までの受信に保留中のものがあり、まだ集計されていません。稼働状況のページで確認できます。',
    'zh-Hant': '截至當日有資料被擱置而尚未計入；請見「運作狀況」。',
  },
  'sends-outside-gateway': { en: 'Sent outside Shoal', ja: 'Shoal 経由以外', 'zh-Hant': '非經 Shoal 發送' },
  'sends-outside-gateway-meaning': {
    en: 'LINE also counts messages sent without Shoal.',
    ja: 'LINE は Shoal を経由しない送信も数えます。',
    'zh-Hant': 'LINE 也計入未經 Shoal 發送的訊息。',
  },
  'recipients-unknown': { en: 'Recipients unknown', ja: '宛先数が未確定', 'zh-Hant': '對象數未知' },
  'recipients-unknown-meaning': {
    en: 'The number of recipients of a send through Shoal is not known yet.',
    ja: 'Shoal 経由の送信の宛先数がまだ確定していません。',
    'zh-Hant': '經 Shoal 發送的對象數尚未確定。',
  },
  'recipients-not-reached': { en: 'Not reached', ja: '未到達', 'zh-Hant': '未送達' },
  'recipients-not-reached-meaning': {
    en: 'LINE does not count recipients that a send did not reach, such as people who block the account.',
    ja: 'LINE はブロックなどで届かなかった宛先を数えません。',
    'zh-Hant': 'LINE 不計未送達的對象，例如已封鎖者。',
  },
  unexplained: { en: 'Unexplained', ja: '原因不明', 'zh-Hant': '原因不明' },
  'unexplained-meaning': {
    en: 'No known reason explains the gap.',
    ja: '既知の理由では説明できない差です。',
    'zh-Hant': '已知原因皆無法解釋此差異。',
  },
});
