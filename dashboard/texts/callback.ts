/** Texts of the address of outgoing webhooks, in the settings and on the health page. */
import { defineTexts } from '../preferences/language.ts';

export const t = defineTexts('callback', {
  note: {
    en: 'Shoal posts changes of contacts, tags, points and chats to your server, signed as defined by Standard Webhooks.',
    ja: '連絡先、タグ、ポイント、チャットの変更を、Standard Webhooksの署名付きで自社サーバーに送信します。',
    'zh-Hant': '聯絡人、標籤、點數與聊天的異動會依 Standard Webhooks 簽章後傳送到您的伺服器。',
  },
  address: { en: 'Address', ja: '送信先URL', 'zh-Hant': '網址' },
  addressHint: {
    en: 'https, and reachable from the internet.',
    ja: 'インターネットから接続できるhttpsのURL',
    'zh-Hant': '須為可從網際網路連線的 https 網址。',
  },
  addressWrong: {
    en: 'Enter an address that starts with https:// or http://.',
    ja: 'https:// または http:// で始まる URL を入力してください。',
    'zh-Hant': '請輸入以 https:// 或 http:// 開頭的網址。',
  },
  none: { en: 'No address is set', ja: '送信先は設定されていません', 'zh-Hant': '尚未設定網址' },
  noneHint: {
    en: 'After you set it, Shoal sends changes of followers, blocks, tags, customers and points.',
    ja: '設定した時点から、友だち追加・ブロック・タグ・顧客・ポイントの変更を通知します。',
    'zh-Hant': '設定後即開始通知：好友、封鎖、標籤、顧客與點數的異動。',
  },
  state: { en: 'State', ja: '状態', 'zh-Hant': '狀態' },
  working: { en: 'Working', ja: '正常', 'zh-Hant': '正常' },
  failing: {
    en: 'Failing since {{at}}',
    ja: '{{at}}から失敗しています',
    'zh-Hant': '自 {{at}} 起持續失敗',
  },
  disabled: {
    en: 'Your server refused webhooks on {{at}}. Save the address to resume.',
    ja: '{{at}}にサーバーが受信を停止しました。保存すると再開します',
    'zh-Hant': '您的伺服器已於 {{at}} 拒收；重新儲存網址即可恢復',
  },
  waiting: { en: 'Waiting to be sent', ja: '送信待ち', 'zh-Hant': '等待傳送' },
  until: { en: 'Until {{at}}', ja: '{{at}}まで', 'zh-Hant': '至 {{at}}' },
  signingSecret: { en: 'Signing secret', ja: '署名シークレット', 'zh-Hant': '簽章密鑰' },
  previousSecret: {
    en: 'Previous secret still signs',
    ja: '以前のシークレットも有効',
    'zh-Hant': '舊密鑰仍有效',
  },
  rotateSecret: { en: 'New signing secret', ja: '署名シークレットを再発行', 'zh-Hant': '產生新的簽章密鑰' },
  rotateAsk: {
    en: 'The current secret also signs for 7 more days.',
    ja: '現在のシークレットも7日間は併せて署名に使われます。',
    'zh-Hant': '目前的密鑰仍會與新密鑰並用 7 天。',
  },
  remove: { en: 'Stop sending', ja: '送信を停止', 'zh-Hant': '停止傳送' },
  removeAsk: {
    en: 'Waiting webhooks are discarded, and the signing secret is deleted.',
    ja: '送信待ちの通知は破棄され、署名シークレットも削除されます。',
    'zh-Hant': '等待傳送的通知將被捨棄，簽章密鑰也會刪除。',
  },
  removed: { en: 'Webhooks are no longer sent', ja: '送信を停止しました', 'zh-Hant': '已停止傳送' },
  change: { en: 'Change in Settings', ja: '設定で変更', 'zh-Hant': '在「設定」中變更' },
});
