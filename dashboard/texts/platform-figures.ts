/** Texts of Meta's own figures: their names (src/meta/reported-figures.ts), and Meta's words. */
import { defineTexts } from '../preferences/language.ts';

export const reportedFigureNames = [
  'page_follows',
  'page_daily_follows_unique',
  'page_messages_total_messaging_connections',
  'page_messages_new_conversations_unique',
  'page_messages_blocked_conversations_unique',
  'page_messages_reported_conversations_unique',
  'followers_count',
  'follower_count',
  'sent',
  'delivered',
  'quality',
  'messagingLimit',
] as const;

/** Meta's words for the quality of a number, and its word for no messaging limit. */
export const reportedWords = ['GREEN', 'YELLOW', 'RED', 'UNKNOWN', 'TIER_UNLIMITED'] as const;

export const t = defineTexts('platform-figures', {
  title: {
    en: '{{platform}} as Meta reports it',
    ja: 'Meta による {{platform}} の数値',
    'zh-Hant': 'Meta 提供的 {{platform}} 數據',
  },
  titleNote: {
    en: 'Latest values; Shoal’s own figures do not depend on them',
    ja: '最新の値です。Shoal の集計には使われません',
    'zh-Hant': '最新數值；不影響 Shoal 自己的統計',
  },
  figure: { en: 'Figure', ja: '項目', 'zh-Hant': '項目' },
  latest: { en: 'Latest', ja: '最新', 'zh-Hant': '最新' },
  reported: { en: 'Reported', ja: '報告日時', 'zh-Hant': '回報時間' },
  page_follows: { en: 'Followers of the page', ja: 'ページのフォロワー', 'zh-Hant': '粉絲專頁追蹤者' },
  page_daily_follows_unique: {
    en: 'New followers of the day',
    ja: 'その日の新しいフォロワー',
    'zh-Hant': '當日新追蹤者',
  },
  page_messages_total_messaging_connections: {
    en: 'Conversations in total',
    ja: '会話の累計',
    'zh-Hant': '對話總數',
  },
  page_messages_new_conversations_unique: {
    en: 'New conversations of the day',
    ja: 'その日の新しい会話',
    'zh-Hant': '當日新對話',
  },
  page_messages_blocked_conversations_unique: {
    en: 'Blocked conversations of the day',
    ja: 'その日にブロックされた会話',
    'zh-Hant': '當日被封鎖的對話',
  },
  page_messages_reported_conversations_unique: {
    en: 'Reported conversations of the day',
    ja: 'その日に報告された会話',
    'zh-Hant': '當日被檢舉的對話',
  },
  followers_count: { en: 'Followers', ja: 'フォロワー', 'zh-Hant': '追蹤者' },
  follower_count: {
    en: 'New followers of the day',
    ja: 'その日の新しいフォロワー',
    'zh-Hant': '當日新追蹤者',
  },
  sent: { en: 'Messages sent', ja: '送信メッセージ', 'zh-Hant': '發出的訊息' },
  delivered: { en: 'Messages delivered', ja: '配信されたメッセージ', 'zh-Hant': '已送達的訊息' },
  quality: { en: 'Quality of the number', ja: '電話番号の品質', 'zh-Hant': '電話號碼品質' },
  messagingLimit: {
    en: 'Messaging limit (people in 24 hours)',
    ja: 'メッセージ上限（24 時間の人数）',
    'zh-Hant': '訊息上限（24 小時內人數）',
  },
  GREEN: { en: 'High', ja: '高', 'zh-Hant': '高' },
  YELLOW: { en: 'Medium', ja: '中', 'zh-Hant': '中' },
  RED: { en: 'Low', ja: '低', 'zh-Hant': '低' },
  UNKNOWN: { en: 'Not rated yet', ja: '未評価', 'zh-Hant': '尚未評等' },
  TIER_UNLIMITED: { en: 'No limit', ja: '上限なし', 'zh-Hant': '無上限' },
  templates: {
    en: 'WhatsApp templates as Meta counts them',
    ja: 'Meta による WhatsApp テンプレートの集計',
    'zh-Hant': 'Meta 統計的 WhatsApp 範本',
  },
  templatesNote: {
    en: '{{days}} (UTC), reported {{at}}',
    ja: '{{days}}（UTC）、{{at}} に報告',
    'zh-Hant': '{{days}}（UTC），{{at}} 回報',
  },
  template: { en: 'Template', ja: 'テンプレート', 'zh-Hant': '範本' },
  sentColumn: { en: 'Sent', ja: '送信', 'zh-Hant': '發出' },
  deliveredColumn: { en: 'Delivered', ja: '配信', 'zh-Hant': '送達' },
  read: { en: 'Read', ja: '開封', 'zh-Hant': '已讀' },
  clicked: { en: 'Clicked', ja: 'クリック', 'zh-Hant': '點擊' },
  noTemplates: {
    en: 'Meta reports no template in these days',
    ja: 'この期間に報告されたテンプレートはありません',
    'zh-Hant': 'Meta 在此期間未回報任何範本',
  },
});
