/** Texts of the comparison with MantaGo, with those of the reasons for a gap (src/mantago/gap-reasons.ts). */
import { defineTexts } from '../preferences/language.ts';

export const comparisonText = defineTexts('mantago-comparison', {
  ours: { en: 'Shoal', ja: 'Shoal', 'zh-Hant': 'Shoal' },
  theirs: { en: 'MantaGo', ja: 'MantaGo', 'zh-Hant': 'MantaGo' },
  gap: { en: 'Gap', ja: '差', 'zh-Hant': '差異' },
  figure: { en: 'Figure', ja: '項目', 'zh-Hant': '項目' },
  call: { en: 'Call', ja: 'API', 'zh-Hant': 'API' },
  reason: { en: 'Likely reason', ja: '考えられる理由', 'zh-Hant': '可能原因' },
  latest: { en: 'Latest comparison', ja: '最新の比較', 'zh-Hant': '最近一次比對' },
  beyond: {
    en: '{{beyond}} of {{all}} figures differ by more than {{tolerance}} %',
    ja: '{{all}}項目中{{beyond}}項目の差が{{tolerance}} %を超えています',
    'zh-Hant': '{{all}} 項中有 {{beyond}} 項差異超過 {{tolerance}} %',
  },
  series: { en: '{{figure}} by comparison', ja: '比較ごとの{{figure}}', 'zh-Hant': '各次比對的{{figure}}' },
  none: { en: 'No comparison yet', ja: '比較はまだありません', 'zh-Hant': '尚無比對' },
  noneHint: {
    en: 'After an import from MantaGo, Shoal can compare both systems every day.',
    ja: 'MantaGoからのインポート後、両方の数値を毎日比較できます。',
    'zh-Hant': '自 MantaGo 匯入後，可每天比對兩邊數據。',
  },
  watch: { en: 'Compare every day', ja: '毎日比較する', 'zh-Hant': '每天比對' },
  unwatch: { en: 'Stop comparing', ja: '比較を停止', 'zh-Hant': '停止比對' },
  watched: {
    en: 'Shoal compares now and every day',
    ja: '今回と毎日の比較を開始しました',
    'zh-Hant': '立即並每天比對',
  },
  unwatched: { en: 'No more comparisons', ja: '比較を停止しました', 'zh-Hant': '已停止比對' },
  next: { en: 'Next comparison: {{at}}', ja: '次回の比較：{{at}}', 'zh-Hant': '下次比對：{{at}}' },
  'not-yet-followers': {
    en: 'Contacts that have not written since the connection',
    ja: '接続後にまだ発言していない連絡先',
    'zh-Hant': '連接後尚未互動的聯絡人',
  },
  'line-snapshot': {
    en: 'LINE’s number of another day',
    ja: 'LINEの数値の日付の違い',
    'zh-Hant': 'LINE 數據的日期不同',
  },
  'blocks-from-events': {
    en: 'Earlier blocks are unknown',
    ja: '以前のブロックは不明',
    'zh-Hant': '先前的封鎖不明',
  },
  'since-connection': {
    en: 'Counted since the connection',
    ja: '接続後からの集計',
    'zh-Hant': '自連接後統計',
  },
  'tag-cover': { en: 'Another definition', ja: '定義の違い', 'zh-Hant': '定義不同' },
  'line-day': { en: 'Another day or grouping', ja: '日付または区分の違い', 'zh-Hant': '日期或分組不同' },
  'quota-time': { en: 'Another period', ja: '期間の違い', 'zh-Hant': '期間不同' },
  channel: { en: 'Channel connected on one side', ja: '片方のみチャネル接続', 'zh-Hant': '僅一方連接頻道' },
  plan: { en: 'Plan set by hand', ja: 'プランの手動設定', 'zh-Hant': '方案為手動設定' },
  'points-since': {
    en: 'Points changed since the import',
    ja: 'インポート後のポイント変更',
    'zh-Hant': '匯入後點數有異動',
  },
  'changed-since': { en: 'Changed since the import', ja: 'インポート後の変更', 'zh-Hant': '匯入後有異動' },
  'not-imported': { en: 'Clients are missing', ja: '未インポートの会員', 'zh-Hant': '有會員未匯入' },
  unexplained: { en: 'No known reason', ja: '理由は不明', 'zh-Hant': '原因不明' },
});
