/**
 * The texts of reports, in the language of their target.
 */
import type { Bot } from '../bots/bots.ts';
import type { Alert, Phase } from './log.ts';
import { isRuleName, type RuleName } from './rules.ts';
import type { Language } from './targets.ts';

/** A report of a bot's alert. `publicUrl` null: the text has no link. */
export type ReportFacts = Alert & {
  bot: Pick<Bot, 'botId' | 'name' | 'timeZone'>;
  phase: Phase;
  key: string;
  language: Language;
  publicUrl: string | null;
};

type Texts = {
  begin: string;
  end: string;
  test: string;
  testText: string;
  began: string;
  ended: string;
  details: string;
  /** Placeholders: {value}, {threshold}. */
  rules: Record<RuleName, string>;
  platforms: Record<string, string>;
  colon: string;
};

const names = { line: 'LINE', facebook: 'Messenger', instagram: 'Instagram', whatsapp: 'WhatsApp' };

const texts: Record<Language, Texts> = {
  en: {
    begin: 'Alert',
    end: 'Resolved',
    test: 'Test',
    testText: 'This is a test. Alerts of this bot arrive here.',
    began: 'Since',
    ended: 'Until',
    details: 'Details',
    colon: ': ',
    platforms: { ...names, liveChat: 'Live chat' },
    rules: {
      'no-delivery': 'No delivery for {value} business hours (limit {threshold})',
      'wrong-signatures': '{value} deliveries with a wrong signature within two hours (limit {threshold})',
      'collection-stopped':
        'The collection of figures has stopped: the access token is refused or unreadable',
      'quota-used': '{value} % of the monthly message quota is used (limit {threshold} %)',
      'quota-full': 'The monthly message quota is used up',
      'quota-expected':
        'By the end of the month, {value} % of the message quota is expected to be used (limit {threshold} %)',
      backlog: 'Deliveries have waited for {value} seconds (limit {threshold})',
      'webhook-given-up': '{value} outgoing webhooks were given up within 24 hours (limit {threshold})',
      'token-expiring': 'The access token expires in {value} days (limit {threshold})',
      'followers-falling': '{value} % of the followers were lost today (limit {threshold} %)',
      blocks: '{value} new blocks today (limit {threshold})',
    },
  },
  ja: {
    begin: 'アラート',
    end: '解消',
    test: 'テスト',
    testText: 'これはテストです。このボットのアラートはここに届きます。',
    began: '発生',
    ended: '解消',
    details: '詳細',
    colon: '：',
    platforms: { ...names, liveChat: 'ライブチャット' },
    rules: {
      'no-delivery': '営業時間で {value} 時間、受信がありません（上限 {threshold} 時間）',
      'wrong-signatures': '署名の一致しない受信が2時間以内に {value} 件ありました（上限 {threshold} 件）',
      'collection-stopped': '統計の取得が停止しています。アクセストークンが無効か、復号できません',
      'quota-used': '今月のメッセージ通数の {value} % を使用しました（上限 {threshold} %）',
      'quota-full': '今月のメッセージ通数を使い切りました',
      'quota-expected': '月末までにメッセージ通数の {value} % に達する見込みです（上限 {threshold} %）',
      backlog: '受信データの処理待ちが {value} 秒に達しました（上限 {threshold} 秒）',
      'webhook-given-up': '送信Webhook {value} 件が24時間以内に送信失敗となりました（上限 {threshold} 件）',
      'token-expiring': 'アクセストークンの期限まで {value} 日です（上限 {threshold} 日）',
      'followers-falling': '友だちが本日 {value} % 減りました（上限 {threshold} %）',
      blocks: '本日の新規ブロックが {value} 件です（上限 {threshold} 件）',
    },
  },
  'zh-Hant': {
    begin: '警示',
    end: '已解除',
    test: '測試',
    testText: '這是測試訊息。此機器人的警示會送到這裡。',
    began: '開始',
    ended: '結束',
    details: '詳情',
    colon: '：',
    platforms: { ...names, liveChat: '即時客服' },
    rules: {
      'no-delivery': '營業時間內已 {value} 小時沒有收到資料（上限 {threshold} 小時）',
      'wrong-signatures': '兩小時內有 {value} 筆資料的簽章錯誤（上限 {threshold} 筆）',
      'collection-stopped': '統計數據已停止收集：存取權杖無效或無法解密',
      'quota-used': '本月訊息額度已使用 {value}%（上限 {threshold}%）',
      'quota-full': '本月訊息額度已用完',
      'quota-expected': '預計月底訊息額度將使用 {value}%（上限 {threshold}%）',
      backlog: '待處理資料已等候 {value} 秒（上限 {threshold} 秒）',
      'webhook-given-up': '24 小時內有 {value} 則對外 Webhook 已放棄（上限 {threshold} 則）',
      'token-expiring': '存取權杖將於 {value} 天後到期（上限 {threshold} 天）',
      'followers-falling': '今日好友減少 {value}%（上限 {threshold}%）',
      blocks: '今日新增封鎖 {value} 人（上限 {threshold} 人）',
    },
  },
};

/** One line: the bot, the platform and the cause. */
export function summaryOf({ bot, phase, rule, subject, value, threshold, language }: ReportFacts): string {
  const words = texts[language];
  const cause = isRuleName(rule)
    ? words.rules[rule].replace('{value}', shown(value)).replace('{threshold}', shown(threshold))
    : words.testText;
  const place = [bot.name, ...(subject === '' ? [] : [words.platforms[subject] ?? subject])].join(' · ');
  return `${words[phase]}${words.colon}${place} – ${cause}`;
}

/** The text of a message. */
export function textOf(report: ReportFacts): string {
  const { bot, beganAt, endedAt, phase, language, publicUrl } = report;
  const words = texts[language];
  const at = (label: string, time: Date) => `${label}${words.colon}${timeOf(time, bot.timeZone, language)}`;
  return [
    summaryOf(report),
    ...(phase === 'test' ? [] : [at(words.began, beganAt)]),
    ...(phase === 'end' && endedAt !== null ? [at(words.ended, endedAt)] : []),
    ...(publicUrl === null ? [] : [`${words.details}${words.colon}${publicUrl}/bots/${bot.botId}/alerts`]),
  ].join('\n');
}

export function mailOf(report: ReportFacts): { subject: string; text: string } {
  return { subject: summaryOf(report), text: `${textOf(report)}\n` };
}

/** The body of a webhook. */
export function payloadOf(report: ReportFacts) {
  const { bot, alertId, rule, subject, value, threshold, beganAt, endedAt, phase } = report;
  return {
    type: `alert.${({ begin: 'began', end: 'ended', test: 'test' } as const)[phase]}`,
    timestamp: (phase === 'end' && endedAt !== null ? endedAt : beganAt).toISOString(),
    data: {
      ...{ botId: bot.botId, botName: bot.name, alertId, rule, platform: subject === '' ? null : subject },
      ...{ value, threshold, beganAt: beganAt.toISOString() },
      endedAt: phase === 'begin' ? null : (endedAt?.toISOString() ?? null),
      message: summaryOf(report),
    },
  };
}

function shown(value: number): string {
  return String(Math.round(10 * value) / 10);
}

function timeOf(at: Date, zone: string, language: Language): string {
  return new Intl.DateTimeFormat(language, {
    dateStyle: 'medium',
    timeStyle: 'short',
    timeZone: zone,
  }).format(at);
}
