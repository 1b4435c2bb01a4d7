/** Texts of the sends page, with the terms of LINE Official Account Manager. */
import { defineTexts } from '../preferences/language.ts';

export const t = defineTexts('sends', {
  times: {
    en: '· times in {{zone}}',
    ja: '・時刻は {{zone}}',
    'zh-Hant': '・時間為 {{zone}}',
  },
  list: { en: 'Sends on LINE', ja: 'LINE の配信一覧', 'zh-Hant': 'LINE 發送列表' },
  listNote: {
    en: 'Sends through the gateway, newest first. LINE reports opens and clicks for broadcasts and narrowcasts for 14 days. It has no per-message data for other sends.',
    ja: 'ゲートウェイ経由の配信（新しい順）。LINE は一斉・絞り込み配信を14日間集計し、それ以外は1件ごとの数値を提供しません。',
    'zh-Hant': '經由閘道的發送，由新到舊。LINE 對群發與分眾訊息統計 14 天，其他類型不提供單次數據。',
  },
  kinds: { en: 'Kinds', ja: '種類', 'zh-Hant': '類型' },
  broadcasts: { en: 'Broadcasts', ja: '一斉・絞り込み', 'zh-Hant': '群發與分眾' },
  allKinds: { en: 'All kinds', ja: 'すべて', 'zh-Hant': '所有類型' },
  compared: { en: 'Delivered, opened, clicked', ja: '配信・開封・クリック', 'zh-Hant': '送達、開封與點擊' },
  comparedNote: {
    en: 'Sends of the list below with figures from LINE, oldest first. A missing bar means unknown.',
    ja: '下の一覧のうち LINE から数値が提供された配信（古い順）。棒がないものは不明です。',
    'zh-Hant': '下方列表中 LINE 已提供數據的發送，由舊到新；沒有長條者為未知。',
  },
  send: { en: 'Send', ja: '配信', 'zh-Hant': '發送' },
  sentAt: { en: 'Sent', ja: '配信日時', 'zh-Hant': '發送時間' },
  kind: { en: 'Kind', ja: '種類', 'zh-Hant': '類型' },
  unit: { en: 'Unit {{unit}}', ja: 'ユニット {{unit}}', 'zh-Hant': '統計單位 {{unit}}' },
  recipients: { en: 'Recipients', ja: '宛先数', 'zh-Hant': '收件人數' },
  delivered: { en: 'Delivered', ja: '配信数', 'zh-Hant': '送達數' },
  opened: { en: 'Opened', ja: '開封者数', 'zh-Hant': '開封人數' },
  clicked: { en: 'Clicked', ja: 'クリック者数', 'zh-Hant': '點擊人數' },
  ownClicks: { en: 'Clicks on your links', ja: '自社リンクのクリック', 'zh-Hant': '自有連結點擊' },
  people: {
    en: { one: '{{count}} person', other: '{{count}} people' },
    ja: '{{count}}人',
    'zh-Hant': '{{count}} 人',
  },
  counting: { en: 'Counting until {{until}}', ja: '{{until}}まで集計中', 'zh-Hant': '統計至 {{until}}' },
  broadcastsOnly: {
    en: 'Broadcasts only',
    ja: '一斉・絞り込みのみ',
    'zh-Hant': '僅限群發與分眾',
  },
  notReportedYet: { en: 'Not yet reported by LINE', ja: 'LINE 未提供', 'zh-Hant': 'LINE 尚未提供' },
  notReported: { en: 'Not reported by LINE', ja: 'LINE の提供なし', 'zh-Hant': 'LINE 未提供' },
  tooFew: { en: 'Fewer than 20 people', ja: '20人未満', 'zh-Hant': '少於 20 人' },
  noRecipients: { en: 'Unknown when sent', ja: '送信時は不明', 'zh-Hant': '發送時未知' },
  noLinks: { en: 'No links', ja: 'リンクなし', 'zh-Hant': '無此類連結' },
  noSends: {
    en: 'No sends in this range',
    ja: 'この期間の配信はありません',
    'zh-Hant': '此期間沒有發送紀錄',
  },
  noSendsHint: {
    en: 'Sends appear here when programs call LINE through the gateway. The messages page shows messages sent in LINE Official Account Manager, by day and kind.',
    ja: 'プログラムがゲートウェイ経由で LINE に送信すると表示されます。LINE の管理画面から配信した分は、メッセージページに日別・種類別で表示されます。',
    'zh-Hant':
      '程式經由閘道呼叫 LINE 發送後會顯示於此。在 LINE 後台發送的訊息，請見「訊息」頁面的每日與類型統計。',
  },
});
