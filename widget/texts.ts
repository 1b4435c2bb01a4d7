/**
 * The widget's texts in all languages, as typed tables: a library would be a third of the widget.
 */
import type { Language } from './language.ts';

export type Texts = {
  chat: string;
  open: string;
  unread(count: number): string;
  close: string;
  log: string;
  welcome: string;
  welcomeMore: string;
  message: string;
  placeholder: string;
  send: string;
  attach: string;
  older: string;
  loading: string;
  jump: string;
  you: string;
  bot: string;
  sending: string;
  sent: string;
  seen: string;
  failed: string;
  retry: string;
  typing(name: string): string;
  image(name: string): string;
  closeImage: string;
  imageUnavailable: string;
  imageTooLarge: string;
  imageType: string;
  imagesNotAllowed: string;
  quickReplies: string;
  reconnecting: string;
  offline: string;
  tooMany: string;
  quotaReached: string;
  blocked: string;
  identityRequired: string;
  unavailable: string;
  today: string;
  yesterday: string;
};

const en: Texts = {
  chat: 'Chat',
  open: 'Open chat',
  unread: (count) => (count === 1 ? '1 unread message' : `${count} unread messages`),
  close: 'Close chat',
  log: 'Messages',
  welcome: 'How can we help?',
  welcomeMore: 'Send us a message. Replies appear here, also when you return later.',
  message: 'Message',
  placeholder: 'Write a message…',
  send: 'Send',
  attach: 'Send an image',
  older: 'Earlier messages',
  loading: 'Loading…',
  jump: 'Go to newest message',
  you: 'You',
  bot: 'Bot',
  sending: 'Sending…',
  sent: 'Sent',
  seen: 'Seen',
  failed: 'Not sent.',
  retry: 'Try again',
  typing: (name) => `${name} is typing…`,
  image: (name) => `Image from ${name}`,
  closeImage: 'Close image',
  imageUnavailable: 'The image cannot be shown.',
  imageTooLarge: 'The image is larger than 5 MB.',
  imageType: 'Only PNG, JPEG, GIF and WebP images can be sent.',
  imagesNotAllowed: 'You can send images after our first reply.',
  quickReplies: 'Suggested answers',
  reconnecting: 'Connection lost. Reconnecting…',
  offline: 'You are offline. Messages are sent when you reconnect.',
  tooMany: 'Too many messages at once. Please wait a moment.',
  quotaReached: 'Today’s limit is reached. Please try again tomorrow.',
  blocked: 'You cannot send messages in this chat.',
  identityRequired: 'Please sign in on this site to chat with us.',
  unavailable: 'The chat is not available at the moment.',
  today: 'Today',
  yesterday: 'Yesterday',
};

const ja: Texts = {
  chat: 'チャット',
  open: 'チャットを開く',
  unread: (count) => `未読メッセージ ${count} 件`,
  close: 'チャットを閉じる',
  log: 'メッセージ',
  welcome: 'ご用件をお聞かせください',
  welcomeMore: 'メッセージをお送りください。返信はここに届き、あとからでもご覧いただけます。',
  message: 'メッセージ',
  placeholder: 'メッセージを入力…',
  send: '送信',
  attach: '画像を送信',
  older: '以前のメッセージ',
  loading: '読み込み中…',
  jump: '最新のメッセージへ',
  you: 'あなた',
  bot: '自動応答',
  sending: '送信中…',
  sent: '送信済み',
  seen: '既読',
  failed: '送信できませんでした。',
  retry: '再送信',
  typing: (name) => `${name} が入力中…`,
  image: (name) => `${name} の画像`,
  closeImage: '画像を閉じる',
  imageUnavailable: '画像を表示できません。',
  imageTooLarge: '画像が 5 MB を超えています。',
  imageType: '送信できる画像は PNG、JPEG、GIF、WebP です。',
  imagesNotAllowed: '画像は、こちらからの返信後に送信できます。',
  quickReplies: '返信の候補',
  reconnecting: '接続が切れました。再接続しています…',
  offline: 'オフラインです。接続が戻ると送信されます。',
  tooMany: '一度に多くのメッセージが送信されました。少しお待ちください。',
  quotaReached: '本日送信できる量の上限に達しました。明日もう一度お試しください。',
  blocked: 'このチャットではメッセージを送信できません。',
  identityRequired: 'チャットをご利用になるには、このサイトにログインしてください。',
  unavailable: 'ただいまチャットをご利用いただけません。',
  today: '今日',
  yesterday: '昨日',
};

const zhHant: Texts = {
  chat: '即時客服',
  open: '開啟對話',
  unread: (count) => `${count} 則未讀訊息`,
  close: '關閉對話',
  log: '訊息',
  welcome: '您好，需要什麼協助嗎？',
  welcomeMore: '歡迎留言，我們的回覆會顯示在這裡，您之後回來也看得到。',
  message: '訊息',
  placeholder: '輸入訊息…',
  send: '傳送',
  attach: '傳送圖片',
  older: '較早的訊息',
  loading: '載入中…',
  jump: '前往最新訊息',
  you: '您',
  bot: '自動回覆',
  sending: '傳送中…',
  sent: '已傳送',
  seen: '已讀',
  failed: '傳送失敗。',
  retry: '重新傳送',
  typing: (name) => `${name} 正在輸入…`,
  image: (name) => `${name}的圖片`,
  closeImage: '關閉圖片',
  imageUnavailable: '無法顯示圖片。',
  imageTooLarge: '圖片超過 5 MB。',
  imageType: '只能傳送 PNG、JPEG、GIF、WebP 圖片。',
  imagesNotAllowed: '我們回覆您之後，即可傳送圖片。',
  quickReplies: '建議回覆',
  reconnecting: '連線中斷，正在重新連線…',
  offline: '您目前離線，恢復連線後會自動傳送。',
  tooMany: '傳送太頻繁，請稍候再試。',
  quotaReached: '今日可傳送的資料量已達上限，請明天再試。',
  blocked: '您無法在此對話中傳送訊息。',
  identityRequired: '請先登入本網站，再與我們對話。',
  unavailable: '目前無法使用對話功能。',
  today: '今天',
  yesterday: '昨天',
};

const tables: Record<Language, Texts> = { en, ja, 'zh-Hant': zhHant };

export function textsOf(language: Language): Texts {
  return tables[language];
}
