/** Texts of the search. */
import { defineTexts } from '../preferences/language.ts';

export const t = defineTexts('search', {
  search: { en: 'Search', ja: '検索', 'zh-Hant': '搜尋' },
  searchFor: {
    en: 'Pages, bots, contacts, tags, sends',
    ja: 'ページ、ボット、連絡先、タグ、配信',
    'zh-Hant': '頁面、機器人、聯絡人、標籤、發送',
  },
  searchBots: { en: 'Bots', ja: 'ボット', 'zh-Hant': '機器人' },
  results: { en: 'Results', ja: '検索結果', 'zh-Hant': '搜尋結果' },
  nothingFound: { en: 'Nothing found', ja: '見つかりませんでした', 'zh-Hant': '找不到結果' },
  pages: { en: 'Pages', ja: 'ページ', 'zh-Hant': '頁面' },
  bots: { en: 'Bots', ja: 'ボット', 'zh-Hant': '機器人' },
  tags: { en: 'Tags', ja: 'タグ', 'zh-Hant': '標籤' },
});
