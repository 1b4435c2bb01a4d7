/** Texts of the range picker, of comparisons and of groupings. */
import { defineTexts } from '../preferences/language.ts';

export const t = defineTexts('range', {
  yesterday: { en: 'Yesterday', ja: '昨日', 'zh-Hant': '昨天' },
  'this-week': { en: 'This week', ja: '今週', 'zh-Hant': '本週' },
  'last-week': { en: 'Last week', ja: '先週', 'zh-Hant': '上週' },
  'this-month': { en: 'This month', ja: '今月', 'zh-Hant': '本月' },
  'last-month': { en: 'Last month', ja: '先月', 'zh-Hant': '上個月' },
  all: { en: 'All time', ja: '全期間', 'zh-Hant': '全部期間' },
  earlier: { en: 'Earlier period', ja: '前の期間', 'zh-Hant': '往前一期' },
  later: { en: 'Later period', ja: '次の期間', 'zh-Hant': '往後一期' },
  monthBefore: { en: 'Previous month', ja: '前の月', 'zh-Hant': '前一個月' },
  monthAfter: { en: 'Next month', ja: '次の月', 'zh-Hant': '下一個月' },

  compare: { en: 'Compare with', ja: '比較対象', 'zh-Hant': '比較對象' },
  'previous-period': { en: 'vs previous period', ja: '前の期間と比較', 'zh-Hant': '與前期比較' },
  'same-period-last-year': { en: 'vs last year', ja: '前年同期と比較', 'zh-Hant': '與去年同期比較' },
  none: { en: 'No comparison', ja: '比較しない', 'zh-Hant': '不比較' },
  groupBy: { en: 'Group by', ja: '集計単位', 'zh-Hant': '統計單位' },
  day: { en: 'By day', ja: '日別', 'zh-Hant': '每日' },
  week: { en: 'By week', ja: '週別', 'zh-Hant': '每週' },
  month: { en: 'By month', ja: '月別', 'zh-Hant': '每月' },
  dayTitle: { en: 'Day', ja: '日付', 'zh-Hant': '日期' },
  weekTitle: { en: 'Week', ja: '週', 'zh-Hant': '週' },
  monthTitle: { en: 'Month', ja: '月', 'zh-Hant': '月份' },

  compared: { en: 'Compared with {{days}}', ja: '比較対象：{{days}}', 'zh-Hant': '比較期間：{{days}}' },
  comparedUntil: {
    en: 'Compared with {{days}}, until {{time}}',
    ja: '比較対象：{{days}}（{{time}}まで）',
    'zh-Hant': '比較期間：{{days}}（至 {{time}}）',
  },
  vsLastYear: {
    en: '{{change}} vs last year',
    ja: '{{change}}（前年同期との比較）',
    'zh-Hant': '{{change}}（較去年同期）',
  },
  seriesBefore: { en: '{{title}}, before', ja: '{{title}}（比較対象）', 'zh-Hant': '{{title}}（比較期間）' },
  before: { en: 'Compared period', ja: '比較対象', 'zh-Hant': '比較期間' },
});
