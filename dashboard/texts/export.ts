/** Texts of exports: of a chart as a picture, and of a page as a file. */
import { defineTexts } from '../preferences/language.ts';

export const t = defineTexts('export', {
  csvOfPage: {
    en: 'Export this page as CSV',
    ja: 'このページを CSV で書き出す',
    'zh-Hant': '將此頁匯出為 CSV',
  },
  print: { en: 'Print, or save as PDF', ja: '印刷・PDF で保存', 'zh-Hant': '列印或存成 PDF' },
  png: { en: 'PNG', ja: 'PNG', 'zh-Hant': 'PNG' },
  downloadPng: {
    en: 'Download “{{title}}” as PNG',
    ja: '「{{title}}」を PNG でダウンロード',
    'zh-Hant': '下載「{{title}}」PNG',
  },
  figure: { en: 'Figure', ja: '項目', 'zh-Hant': '項目' },
  now: { en: 'Value', ja: '値', 'zh-Hant': '數值' },
  before: { en: 'Before', ja: '比較対象', 'zh-Hant': '比較期間' },
  change: { en: 'Change', ja: '増減', 'zh-Hant': '增減' },
});
