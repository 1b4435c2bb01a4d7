/** LINE's kinds of messages, as LINE's own manager and documents name them. */
import { defineTexts } from '../preferences/language.ts';

export const t = defineTexts('line-kinds', {
  broadcast: { en: 'Broadcast', ja: '一斉配信', 'zh-Hant': '群發訊息' },
  targeting: { en: 'Targeted message', ja: '絞り込み配信', 'zh-Hant': '分眾訊息' },
  stepMessage: { en: 'Step message', ja: 'ステップ配信', 'zh-Hant': '漸進式訊息' },
  autoResponse: { en: 'Auto-response', ja: '応答メッセージ', 'zh-Hant': '自動回應訊息' },
  welcomeResponse: { en: 'Greeting', ja: 'あいさつメッセージ', 'zh-Hant': '加入好友的歡迎訊息' },
  chat: { en: 'Chat', ja: 'チャット', 'zh-Hant': '聊天' },
  apiBroadcast: { en: 'Broadcast (API)', ja: 'ブロードキャスト（API）', 'zh-Hant': '群發（API）' },
  apiPush: { en: 'Push (API)', ja: 'プッシュ（API）', 'zh-Hant': '推播（API）' },
  apiMulticast: { en: 'Multicast (API)', ja: 'マルチキャスト（API）', 'zh-Hant': 'Multicast（API）' },
  apiNarrowcast: { en: 'Narrowcast (API)', ja: 'ナローキャスト（API）', 'zh-Hant': 'Narrowcast（API）' },
  apiReply: { en: 'Reply (API)', ja: '応答（API）', 'zh-Hant': '回覆（API）' },
  pnpNoticeMessage: { en: 'Notification message', ja: '通知メッセージ', 'zh-Hant': '通知型訊息' },
  pnpCallToLine: { en: 'Call to LINE', ja: 'Call to LINE', 'zh-Hant': 'Call to LINE' },
  thirdPartyChatTool: {
    en: 'Chat by another tool',
    ja: '外部チャットツール',
    'zh-Hant': '外部聊天工具',
  },
  push: { en: 'Push', ja: 'プッシュ', 'zh-Hant': '推播' },
  multicast: { en: 'Multicast', ja: 'マルチキャスト', 'zh-Hant': 'Multicast' },
  narrowcast: { en: 'Narrowcast', ja: 'ナローキャスト', 'zh-Hant': 'Narrowcast' },
  reply: { en: 'Reply', ja: '応答', 'zh-Hant': '回覆' },
  pnp: { en: 'Notification message', ja: '通知メッセージ', 'zh-Hant': '通知型訊息' },
});
