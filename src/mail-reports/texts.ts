/**
 * The texts of reports by e-mail, in the reader's language.
 */
import type { PlatformName } from '../platforms/platform.ts';

export const languages = ['zh-Hant', 'ja', 'en'] as const;
export type Language = (typeof languages)[number];

export type Texts = {
  kind: { daily: string; weekly: string; monthly: string };
  /** {name}, {kind}, {days}. */
  subject: string;
  /** {days}. */
  compared: string;
  /** {zone}. */
  zone: string;
  figure: string;
  value: string;
  change: string;
  platform: string;
  figures: Record<ReportFigure, string>;
  platforms: Record<PlatformName, string>;
  /** {figure}. */
  byDay: string;
  /** {max}. */
  highest: string;
  noChannels: string;
  open: string;
  /** {count}. */
  attached: string;
  /** {name}. */
  why: string;
  unsubscribe: string;
  unsubscribePage: {
    title: string;
    /** {address}, {name}. */
    question: string;
    /** {address}, {name}. */
    done: string;
    unknown: string;
  };
};

/** The figures of a report, in their order. */
export const reportFigures = [
  'followers',
  'newFollowers',
  'newBlocks',
  'messages',
  'inbound',
  'outbound',
  'conversations',
  'pointsOutstanding',
] as const;
export type ReportFigure = (typeof reportFigures)[number];

export const texts: Record<Language, Texts> = {
  'zh-Hant': {
    kind: { daily: '日報', weekly: '週報', monthly: '月報' },
    subject: '{name} {kind}：{days}',
    compared: '與 {days} 相比',
    zone: '日期以 {zone} 計算。',
    figure: '項目',
    value: '數值',
    change: '變化',
    platform: '平台',
    figures: {
      followers: '好友',
      newFollowers: '新增好友',
      newBlocks: '新增封鎖',
      messages: '訊息',
      inbound: '收到的訊息',
      outbound: '發出的訊息',
      conversations: '對話',
      pointsOutstanding: '未使用點數',
    },
    platforms: {
      line: 'LINE',
      facebook: 'Messenger',
      instagram: 'Instagram',
      liveChat: '即時客服',
      whatsapp: 'WhatsApp',
    },
    byDay: '每日{figure}',
    highest: '最高 {max}',
    noChannels: '尚未連接任何頻道。',
    open: '在儀表板中開啟',
    attached: '附件為每日數據（CSV），共 {count} 個檔案。',
    why: '您收到此郵件，是因為您是「{name}」的收件人。',
    unsubscribe: '取消訂閱',
    unsubscribePage: {
      title: '取消訂閱報告',
      question: '要停止將「{name}」寄送至 {address} 嗎？',
      done: '「{name}」不會再寄送至 {address}。',
      unknown: '此連結已失效，或該報告已刪除。',
    },
  },
  ja: {
    kind: { daily: '日次レポート', weekly: '週次レポート', monthly: '月次レポート' },
    subject: '{name} {kind}：{days}',
    compared: '{days} との比較',
    zone: '日付は {zone} によります。',
    figure: '項目',
    value: '数値',
    change: '増減',
    platform: 'プラットフォーム',
    figures: {
      followers: '友だち',
      newFollowers: '新規の友だち',
      newBlocks: '新規ブロック',
      messages: 'メッセージ',
      inbound: '受信メッセージ',
      outbound: '送信メッセージ',
      conversations: '会話',
      pointsOutstanding: '未使用ポイント',
    },
    platforms: {
      line: 'LINE',
      facebook: 'Messenger',
      instagram: 'Instagram',
      liveChat: 'ライブチャット',
      whatsapp: 'WhatsApp',
    },
    byDay: '日別の{figure}',
    highest: '最大 {max}',
    noChannels: 'チャネルがまだ接続されていません。',
    open: 'ダッシュボードで開く',
    attached: '日別の数値（CSV）を {count} 件添付しています。',
    why: '「{name}」の宛先に登録されているため、このメールをお送りしています。',
    unsubscribe: '配信を停止',
    unsubscribePage: {
      title: 'レポートの配信停止',
      question: '{address} への「{name}」の配信を停止しますか？',
      done: '「{name}」は今後 {address} に配信されません。',
      unknown: 'このリンクは無効か、レポートが削除されています。',
    },
  },
  en: {
    kind: { daily: 'Daily report', weekly: 'Weekly report', monthly: 'Monthly report' },
    subject: '{name}, {kind}: {days}',
    compared: 'Compared with {days}',
    zone: 'Days are in {zone}.',
    figure: 'Figure',
    value: 'Value',
    change: 'Change',
    platform: 'Platform',
    figures: {
      followers: 'Followers',
      newFollowers: 'New followers',
      newBlocks: 'New blocks',
      messages: 'Messages',
      inbound: 'Messages received',
      outbound: 'Messages sent',
      conversations: 'Conversations',
      pointsOutstanding: 'Points outstanding',
    },
    platforms: {
      line: 'LINE',
      facebook: 'Messenger',
      instagram: 'Instagram',
      liveChat: 'Live chat',
      whatsapp: 'WhatsApp',
    },
    byDay: '{figure} by day',
    highest: 'Highest: {max}',
    noChannels: 'No channel is connected yet.',
    open: 'Open in the dashboard',
    attached: 'Attached: the figures by day (CSV, files: {count}).',
    why: 'You receive this e-mail because you are a recipient of “{name}”.',
    unsubscribe: 'Unsubscribe',
    unsubscribePage: {
      title: 'Unsubscribe from a report',
      question: 'Stop sending “{name}” to {address}?',
      done: '“{name}” is no longer sent to {address}.',
      unknown: 'The link is no longer valid, or the report was deleted.',
    },
  },
};

/** Replaces each `{key}`. */
export function fill(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (_, key: string) => values[key] ?? '');
}
