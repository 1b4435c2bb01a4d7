/** Texts of the overview, and the names of the figures. */
import { defineTexts } from '../preferences/language.ts';

export const t = defineTexts('overview', {
  followers: { en: 'Followers', ja: '友だち', 'zh-Hant': '好友' },
  newFollowers: { en: 'New followers', ja: '新規の友だち', 'zh-Hant': '新增好友' },
  blocks: { en: 'Blocks', ja: 'ブロック', 'zh-Hant': '封鎖' },
  newBlocks: { en: 'New blocks', ja: '新規ブロック', 'zh-Hant': '新增封鎖' },
  messages: { en: 'Messages', ja: 'メッセージ', 'zh-Hant': '訊息' },
  inbound: { en: 'Messages received', ja: '受信メッセージ', 'zh-Hant': '收到的訊息' },
  outbound: { en: 'Messages sent', ja: '送信メッセージ', 'zh-Hant': '發出的訊息' },
  conversations: { en: 'Conversations', ja: '会話', 'zh-Hant': '對話' },
  tagCoverRate: { en: 'Tag coverage', ja: 'タグ付け率', 'zh-Hant': '貼標率' },
  pointsOutstanding: { en: 'Points outstanding', ja: '未使用ポイント', 'zh-Hant': '未使用點數' },
  byDay: { en: '{{figure}} over time', ja: '{{figure}}の推移', 'zh-Hant': '{{figure}}趨勢' },
  figure: { en: 'Figure', ja: '項目', 'zh-Hant': '項目' },
  byPlatform: { en: 'By platform', ja: 'プラットフォーム別', 'zh-Hant': '依平台' },
  byPlatformNote: {
    en: 'Below each number: the change from the compared period.',
    ja: '各数値の下は比較対象からの増減です。',
    'zh-Hant': '各數字下方為與比較期間相比的增減。',
  },
  platform: { en: 'Platform', ja: 'プラットフォーム', 'zh-Hant': '平台' },
  noChannels: {
    en: 'No channel is connected yet',
    ja: 'チャネルがまだ接続されていません',
    'zh-Hant': '尚未連接任何頻道',
  },
  connectChannel: { en: 'Connect a channel', ja: 'チャネルを接続', 'zh-Hant': '連接頻道' },
  noChannelsHint: {
    en: 'Figures appear after a connected channel receives its first delivery.',
    ja: '接続したチャネルから最初のデータが届くと表示されます。',
    'zh-Hant': '連接頻道並收到第一筆資料後，數據就會顯示。',
  },
});
