/** Texts of the reconciliation with Meta, and the names of the reasons for a gap (src/meta/reconciliation.ts). */
import { defineTexts } from '../preferences/language.ts';

export const metaReasonNames = [
  'not-told',
  'before-connected',
  'deliveries-set-aside',
  'counted-otherwise',
  'blocks-not-reported',
  'other-days',
  'followers-and-contacts',
  'statuses-missing',
  'delivered-later',
  'sent-with-the-app',
] as const;

export const metaText = defineTexts('reconciliation-meta', {
  platform: { en: 'Platform', ja: 'プラットフォーム', 'zh-Hant': '平台' },
  figure: { en: 'Figure', ja: '項目', 'zh-Hant': '項目' },
  contacts: { en: 'Contacts', ja: '連絡先', 'zh-Hant': '聯絡人' },
  newContacts: { en: 'New contacts', ja: '新しい連絡先', 'zh-Hant': '新聯絡人' },
  blocks: { en: 'Blocks', ja: 'ブロック', 'zh-Hant': '封鎖' },
  sends: { en: 'Messages sent', ja: '送信メッセージ', 'zh-Hant': '發出的訊息' },
  delivered: { en: 'Messages delivered', ja: '配信されたメッセージ', 'zh-Hant': '已送達的訊息' },
  own: { en: 'Ours', ja: '自社集計', 'zh-Hant': '我方' },
  gap: { en: 'Gap', ja: '差', 'zh-Hant': '差異' },
  reasons: { en: 'Possible reasons', ja: '考えられる理由', 'zh-Hant': '可能原因' },
  bothByDay: {
    en: '{{figure}}, ours and {{platform}}',
    ja: '{{figure}}：自社集計と {{platform}}',
    'zh-Hant': '{{figure}}：我方與 {{platform}}',
  },
  byDay: { en: '{{figure}} by day', ja: '日別の{{figure}}', 'zh-Hant': '每日{{figure}}' },
  zoneNote: { en: 'Days in {{zone}}', ja: '日付は {{zone}} です', 'zh-Hant': '日期依 {{zone}}' },
  noFigures: {
    en: 'No figures from Meta in this range',
    ja: 'この期間の Meta の数値はありません',
    'zh-Hant': 'Meta 尚未提供此期間的數據',
  },
  noFiguresHint: {
    en: 'Shoal collects them after the channel has an access token. The health page shows the progress.',
    ja: 'チャネルにアクセストークンを設定すると取得されます。状況は稼働状況のページで確認できます。',
    'zh-Hant': '為頻道設定存取權杖後即開始收集；進度請見「運作狀況」。',
  },
  'not-told': { en: 'Not reported yet', ja: 'Meta 未提供', 'zh-Hant': 'Meta 尚未提供' },
  'before-connected': { en: 'Before connection', ja: '接続前の会話', 'zh-Hant': '連接前的對話' },
  'deliveries-set-aside': { en: 'Set aside', ja: '保留中の受信', 'zh-Hant': '擱置資料' },
  'counted-otherwise': { en: 'Counted differently', ja: '数え方の違い', 'zh-Hant': '計算方式不同' },
  'blocks-not-reported': {
    en: 'Blocks not reported',
    ja: 'ブロックは通知されません',
    'zh-Hant': '封鎖不會通知',
  },
  'other-days': { en: 'Different days', ja: '日の区切りの違い', 'zh-Hant': '日期界線不同' },
  'followers-and-contacts': {
    en: 'Followers and contacts',
    ja: '友だちと連絡先の違い',
    'zh-Hant': '好友與聯絡人不同',
  },
  'statuses-missing': { en: 'Not received', ja: '未受信', 'zh-Hant': '未收到' },
  'delivered-later': { en: 'Delivered later', ja: '翌日以降の配信', 'zh-Hant': '隔日送達' },
  'sent-with-the-app': { en: 'Sent with the app', ja: 'アプリから送信', 'zh-Hant': '以 App 發送' },
});
