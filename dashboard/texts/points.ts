/** Texts of the points page. */
import { defineTexts } from '../preferences/language.ts';

export const t = defineTexts('points', {
  outstanding: { en: 'Outstanding', ja: '未使用ポイント', 'zh-Hant': '未使用點數' },
  outstandingNote: {
    en: 'Points that all contacts together can spend, at the end of each period.',
    ja: '各期間の終わりに、全連絡先が利用できるポイントの合計。',
    'zh-Hant': '各期間結束時，所有聯絡人可用點數的合計。',
  },
  before: {
    en: '{{points}} before this range',
    ja: '期間開始時：{{points}}',
    'zh-Hant': '期初：{{points}}',
  },
  earned: { en: 'Earned', ja: '獲得', 'zh-Hant': '獲得' },
  spent: { en: 'Spent', ja: '利用', 'zh-Hant': '扣抵' },
  expired: { en: 'Expired', ja: '失効', 'zh-Hant': '已到期' },
  corrected: { en: 'Corrected', ja: '訂正', 'zh-Hant': '更正' },
  correctedNote: {
    en: 'Adjusted, reversed and cleared',
    ja: '調整・取消・全消去の合計',
    'zh-Hant': '調整、沖銷與清除',
  },
  moved: { en: 'Earned, spent, expired', ja: '獲得・利用・失効', 'zh-Hant': '獲得、扣抵與到期' },
  noPoints: { en: 'No points yet', ja: 'ポイントがまだありません', 'zh-Hant': '目前沒有點數' },
  noPointsHint: {
    en: 'Add points on a contact’s page, through the API or by an import.',
    ja: '連絡先のページ、API、または CSV のインポートで付与できます。',
    'zh-Hant': '可在聯絡人頁面、透過 API 或匯入 CSV 發放點數。',
  },
  expiring: { en: 'Expiring', ja: '失効予定', 'zh-Hant': '即將到期' },
  expiringNote: {
    en: '{{days}}; days without expiring points are omitted.',
    ja: '{{days}}（失効のない日は省略）',
    'zh-Hant': '{{days}}，略過沒有到期的日子。',
  },
  noneExpiring: {
    en: 'No points expire in this range',
    ja: 'この期間に失効するポイントはありません',
    'zh-Hant': '此期間沒有即將到期的點數',
  },
  ahead: { en: 'Days ahead', ja: '先の期間', 'zh-Hant': '未來期間' },
  entries: { en: 'Entries', ja: '明細', 'zh-Hant': '明細' },
  entriesNote: {
    en: 'Every change of points in this range with its contact, as CSV for spreadsheets.',
    ja: 'この期間の増減を連絡先ごとに CSV で出力します。',
    'zh-Hant': '匯出此期間每筆點數異動與其聯絡人（CSV）。',
  },
  exportEntries: { en: 'Download entries', ja: '明細をダウンロード', 'zh-Hant': '下載明細' },
});
