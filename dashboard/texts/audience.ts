/** Texts of the audience page, with the terms of LINE Official Account Manager. */
import { defineTexts } from '../preferences/language.ts';

export const t = defineTexts('audience', {
  growth: {
    en: 'New followers and blocks',
    ja: '新規友だちとブロック',
    'zh-Hant': '新增好友與封鎖',
  },
  growthNote: {
    en: 'Counted by Shoal. Blocks are the day’s blocks minus unblocks.',
    ja: 'Shoal の集計です。ブロックは、その日のブロックから解除を差し引いた数です。',
    'zh-Hant': '由 Shoal 統計。封鎖為當日封鎖數減去解除封鎖數。',
  },
  atDaysEnd: {
    en: '{{figure}} over time',
    ja: '{{figure}}の推移',
    'zh-Hant': '{{figure}}趨勢',
  },
  atDaysEndNote: {
    en: 'At the end of each period. For LINE: LINE’s own figures.',
    ja: '各期間の終了時点。LINE は LINE 公式の数値に基づきます。',
    'zh-Hant': '各期間結束時的數值。LINE 以 LINE 官方數據為準。',
  },

  lineFriends: { en: 'Friends on LINE', ja: 'LINE の友だち属性', 'zh-Hant': 'LINE 好友屬性' },
  lineAsOf: {
    en: 'Friends on LINE, {{day}}',
    ja: 'LINE の友だち、{{day}}時点',
    'zh-Hant': 'LINE 好友，{{day}}',
  },
  notAsked: {
    en: 'No data from LINE yet',
    ja: 'LINE からまだ取得していません',
    'zh-Hant': '尚未向 LINE 取得',
  },
  notAskedHint: {
    en: 'Gender, age and area appear after LINE’s figures are collected. This needs the channel access token.',
    ja: '性別・年齢・地域は、LINE の統計情報を取得すると表示されます。取得にはチャネルアクセストークンが必要です。',
    'zh-Hant':
      '取得 LINE 的統計資料後即會顯示性別、年齡與地區；需設定頻道的存取權杖（Channel access token）。',
  },
  notAvailable: {
    en: 'LINE has no demographic figures for this account',
    ja: 'LINE に属性データがありません',
    'zh-Hant': 'LINE 沒有此帳號的屬性資料',
  },
  notAvailableHint: {
    en: 'LINE provides them for accounts with about 20 or more reachable friends.',
    ja: 'ターゲットリーチがおよそ20人以上になると提供されます。',
    'zh-Hant': '目標觸及人數達約 20 人以上時才會提供。',
  },
  share: { en: 'Share', ja: '割合', 'zh-Hant': '比例' },
  gender: { en: 'Gender', ja: '性別', 'zh-Hant': '性別' },
  male: { en: 'Male', ja: '男性', 'zh-Hant': '男性' },
  female: { en: 'Female', ja: '女性', 'zh-Hant': '女性' },
  unknown: { en: 'Unknown', ja: '不明', 'zh-Hant': '未知' },
  age: { en: 'Age', ja: '年齢', 'zh-Hant': '年齡' },
  ageTo: { en: '{{to}} and under', ja: '{{to}}歳以下', 'zh-Hant': '{{to}} 歲以下' },
  ageFromTo: { en: '{{from}}–{{to}}', ja: '{{from}}〜{{to}}歳', 'zh-Hant': '{{from}}–{{to}} 歲' },
  ageFrom: { en: '{{from}} and over', ja: '{{from}}歳以上', 'zh-Hant': '{{from}} 歲以上' },
  area: { en: 'Area', ja: '地域', 'zh-Hant': '地區' },
  app: { en: 'OS', ja: 'OS', 'zh-Hant': '作業系統' },
  otherApps: { en: 'Others', ja: 'その他', 'zh-Hant': '其他' },
  friendship: { en: 'Friend since', ja: '友だち期間', 'zh-Hant': '好友期間' },
  daysBelow: { en: 'Less than {{below}} days', ja: '{{below}}日未満', 'zh-Hant': '未滿 {{below}} 天' },
  daysFromTo: { en: '{{from}}–{{to}} days', ja: '{{from}}〜{{to}}日', 'zh-Hant': '{{from}}–{{to}} 天' },
  daysFrom: { en: '{{from}} days or more', ja: '{{from}}日以上', 'zh-Hant': '{{from}} 天以上' },

  tags: { en: 'Tags', ja: 'タグ', 'zh-Hant': '標籤' },
  tagsNote: {
    en: 'Current number of contacts with each tag; not affected by the date range.',
    ja: '各タグが現在付いている連絡先の数です（期間によりません）。',
    'zh-Hant': '目前貼有各標籤的聯絡人數，不受期間影響。',
  },
  tag: { en: 'Tag', ja: 'タグ', 'zh-Hant': '標籤' },
  kind: { en: 'Kind', ja: '種類', 'zh-Hant': '類型' },
  manual: { en: 'Manual', ja: '手動', 'zh-Hant': '手動' },
  personal: { en: 'Personal', ja: '個人', 'zh-Hant': '個人' },
  automatic: { en: 'Automatic', ja: '自動', 'zh-Hant': '自動' },
  carriers: { en: 'Contacts', ja: '連絡先', 'zh-Hant': '聯絡人' },
  noTags: { en: 'No tags yet', ja: 'タグはまだありません', 'zh-Hant': '目前沒有標籤' },
  noTagsHint: {
    en: 'Add tags through the API, an import or a contact’s page.',
    ja: 'API、インポート、または連絡先のページから付けられます。',
    'zh-Hant': '可透過 API、匯入或聯絡人頁面新增。',
  },
});
