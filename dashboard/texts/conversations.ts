/** Texts of the conversations page. */
import { defineTexts } from '../preferences/language.ts';

export const t = defineTexts('conversations', {
  conversations: { en: 'Conversations', ja: '会話', 'zh-Hant': '對話' },
  averageConversationMessages: {
    en: 'Messages per conversation',
    ja: '1会話あたりのメッセージ数',
    'zh-Hant': '平均每次對話訊息數',
  },
  averageConversationSeconds: {
    en: 'Average length',
    ja: '平均会話時間',
    'zh-Hant': '平均對話時間',
  },
  gap: {
    en: '· A pause of more than {{gap}} starts a new conversation.',
    ja: '・{{gap}}を超えて間が空くと新しい会話として数えます。',
    'zh-Hant': '・間隔超過 {{gap}} 即視為新的對話。',
  },
  byDay: { en: 'Conversations over time', ja: '会話数の推移', 'zh-Hant': '對話數趨勢' },
  byDayNote: {
    en: 'By the day of the first message.',
    ja: '最初のメッセージの日付で集計しています。',
    'zh-Hant': '依第一則訊息的日期統計。',
  },
  byPlatformNote: {
    en: 'Half of the conversations have at most the median.',
    ja: '会話の半数は中央値以下です。',
    'zh-Hant': '半數的對話不超過中位數。',
  },
  messagesMean: { en: 'Messages, average', ja: 'メッセージ数（平均）', 'zh-Hant': '訊息數（平均）' },
  messagesMedian: { en: 'Messages, median', ja: 'メッセージ数（中央値）', 'zh-Hant': '訊息數（中位數）' },
  secondsMean: { en: 'Length, average', ja: '会話時間（平均）', 'zh-Hant': '對話時間（平均）' },
  secondsMedian: { en: 'Length, median', ja: '会話時間（中央値）', 'zh-Hant': '對話時間（中位數）' },
  distribution: { en: 'Distribution', ja: '分布', 'zh-Hant': '分布' },
  distributionTooLong: {
    en: 'The distribution covers at most {{count}} days. Choose a shorter range.',
    ja: '分布は最長{{count}}日間まで表示できます。期間を短くしてください。',
    'zh-Hant': '分布最多可顯示 {{count}} 天，請縮短期間。',
  },
  messagesSteps: {
    en: 'By number of messages',
    ja: 'メッセージ数別の会話数',
    'zh-Hant': '對話數（依訊息數）',
  },
  messagesStep: { en: 'Messages', ja: 'メッセージ数', 'zh-Hant': '訊息數' },
  messagesFrom: { en: '{{from}} or more', ja: '{{from}}以上', 'zh-Hant': '{{from}} 以上' },
  secondsSteps: {
    en: 'By length',
    ja: '会話時間別の会話数',
    'zh-Hant': '對話數（依對話時間）',
  },
  secondsStep: { en: 'Length', ja: '会話時間', 'zh-Hant': '對話時間' },
  secondsFrom: { en: '{{from}} or more', ja: '{{from}}以上', 'zh-Hant': '{{from}}以上' },
  secondsBelow: { en: 'Less than {{below}}', ja: '{{below}}未満', 'zh-Hant': '未滿 {{below}}' },

  list: { en: 'List of conversations', ja: '会話の一覧', 'zh-Hant': '對話列表' },
  listNote: {
    en: 'Newest first. Message texts are not stored.',
    ja: '新しい順。メッセージの本文は保存していません。',
    'zh-Hant': '由新到舊。不保存訊息內容。',
  },
  began: { en: 'Started', ja: '開始', 'zh-Hant': '開始時間' },
  contact: { en: 'Contact', ja: '連絡先', 'zh-Hant': '聯絡人' },
  duration: { en: 'Length', ja: '会話時間', 'zh-Hant': '對話時間' },
  noConversations: {
    en: 'No conversations in this range',
    ja: 'この期間の会話はありません',
    'zh-Hant': '此期間沒有對話',
  },
  noConversationsHint: {
    en: 'A conversation starts with a message from a contact.',
    ja: '相手からメッセージが届くと会話として数えます。',
    'zh-Hant': '收到聯絡人的訊息後即計為對話。',
  },
});
