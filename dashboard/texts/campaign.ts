/** Texts of one send: its progress, its recipients with their results, and why a platform refused a message. */
import { defineTexts } from '../preferences/language.ts';

export const t = defineTexts('campaign', {
  back: { en: 'All sends', ja: '配信一覧', 'zh-Hant': '所有發送' },
  send: { en: 'Send', ja: '配信', 'zh-Hant': '發送' },
  progress: { en: 'Progress', ja: '進行状況', 'zh-Hant': '進度' },
  progressOf: {
    en: '{{settled}} of {{recipients}} recipients have a result.',
    ja: '{{recipients}}件中{{settled}}件の結果が出ています。',
    'zh-Hant': '{{recipients}} 位收件人中已有 {{settled}} 位有結果。',
  },
  planning: {
    en: 'The recipients are still being collected.',
    ja: '宛先を集計しています。',
    'zh-Hant': '正在彙整收件人。',
  },
  stopTitle: { en: 'Stop this send?', ja: 'この配信を停止しますか？', 'zh-Hant': '要停止此發送嗎？' },
  stopHint: {
    en: 'Recipients without a result get nothing. A stopped send cannot be resumed.',
    ja: '結果のない宛先には送信されません。停止した配信は再開できません。',
    'zh-Hant': '尚無結果的收件人將不會收到訊息。停止後無法繼續。',
  },
  details: { en: 'Message and settings', ja: 'メッセージと設定', 'zh-Hant': '訊息與設定' },
  audience: { en: 'Recipients', ja: '宛先', 'zh-Hant': '收件人' },
  namedContacts: { en: 'Named contacts', ja: '指定した連絡先', 'zh-Hant': '指定的聯絡人' },
  everyone: { en: 'All contacts', ja: 'すべての連絡先', 'zh-Hant': '所有聯絡人' },
  startsAt: { en: 'Start', ja: '開始', 'zh-Hant': '開始' },
  quietHours: { en: 'Quiet hours', ja: '送信しない時間帯', 'zh-Hant': '勿擾時段' },
  quietHoursOf: {
    en: '{{from}} to {{until}}, {{zone}}',
    ja: '{{from}}～{{until}}（{{zone}}）',
    'zh-Hant': '{{from}} 至 {{until}}（{{zone}}）',
  },
  createdBy: { en: 'Created by', ja: '作成者', 'zh-Hant': '建立者' },
  messageTag: { en: 'Message tag', ja: 'メッセージタグ', 'zh-Hant': '訊息標籤' },
  unknownContacts: { en: 'Unknown ids', ja: '不明な ID', 'zh-Hant': '無法辨識的 ID' },
  tag: { en: 'Tag', ja: 'タグ', 'zh-Hant': '標籤' },
  contactName: { en: 'Name', ja: '名前', 'zh-Hant': '名稱' },
  customerId: { en: 'Customer id', ja: '顧客 ID', 'zh-Hant': '顧客編號' },
  since: { en: 'First seen from', ja: '初回の記録（開始）', 'zh-Hant': '首次紀錄（起）' },
  until: { en: 'First seen until', ja: '初回の記録（終了）', 'zh-Hant': '首次紀錄（迄）' },

  results: { en: 'Results', ja: '結果', 'zh-Hant': '結果' },
  resultsNote: {
    en: 'In the order of sending. Contacts that had blocked the account when the send was planned are counted, but not listed. LINE and live chat report neither delivered nor read; no platform reports clicks of single recipients.',
    ja: '送信順。計画時にブロック中だった連絡先は件数のみ表示します。LINE とライブチャットは到達・既読を提供せず、宛先別のクリックはどのプラットフォームも提供していません。',
    'zh-Hant':
      '依發送順序。規劃時已封鎖者僅計數、不列出。LINE 與即時客服不提供送達與已讀；各平台皆不提供個別收件人的點擊。',
  },
  shown: { en: 'State', ja: '状態', 'zh-Hant': '狀態' },
  all: { en: 'All', ja: 'すべて', 'zh-Hant': '全部' },
  refresh: { en: 'Refresh', ja: '更新', 'zh-Hant': '重新整理' },
  contact: { en: 'Contact', ja: '連絡先', 'zh-Hant': '聯絡人' },
  result: { en: 'Result', ja: '結果', 'zh-Hant': '結果' },
  at: { en: 'Time', ja: '日時', 'zh-Hant': '時間' },
  delivered: { en: 'Delivered', ja: '到達', 'zh-Hant': '送達' },
  read: { en: 'Read', ja: '既読', 'zh-Hant': '已讀' },
  none: { en: 'No recipients', ja: '宛先はありません', 'zh-Hant': '沒有收件人' },
  noneHint: {
    en: 'Recipients appear here when the send starts. Choose another state to see others.',
    ja: '配信が始まると表示されます。別の状態も選択できます。',
    'zh-Hant': '發送開始後會顯示於此；也可選擇其他狀態。',
  },
  'state-pending': { en: 'Pending', ja: '未送信', 'zh-Hant': '待發送' },
  'state-accepted': { en: 'Accepted', ja: '受付', 'zh-Hant': '已接受' },
  'state-refused': { en: 'Refused', ja: '拒否', 'zh-Hant': '被拒' },
  'state-unknown': { en: 'Answer lost', ja: '応答なし', 'zh-Hant': '無回應' },
  'state-blocked': { en: 'Left out', ja: '除外', 'zh-Hant': '略過' },

  outsideWindow: {
    en: 'The contact’s last message is too old for a message of this kind.',
    ja: '最後のメッセージから時間が経っており、この種類は送信できません。',
    'zh-Hant': '距對方最後一則訊息過久，無法發送此類訊息。',
  },
  invalidRecipient: {
    en: 'The platform knows no such recipient.',
    ja: 'プラットフォームに該当する宛先がありません。',
    'zh-Hant': '平台上沒有此收件人。',
  },
  samePerson: {
    en: 'The person is an earlier recipient of this send.',
    ja: '同じ人物が先の宛先に含まれています。',
    'zh-Hant': '與先前的收件人為同一人。',
  },
  unavailable: {
    en: 'The person cannot be reached, or has blocked the account.',
    ja: '相手に届けられないか、アカウントがブロックされています。',
    'zh-Hant': '無法送達，或對方已封鎖此帳號。',
  },
  failedLater: {
    en: 'Accepted first, but not delivered.',
    ja: '受付後に配信できませんでした。',
    'zh-Hant': '平台接受後未能送達。',
  },
  tooManyMarketing: {
    en: 'Meta limits marketing messages to this person.',
    ja: 'Meta がこの相手へのマーケティングメッセージを制限しています。',
    'zh-Hant': 'Meta 限制此人可收到的行銷訊息。',
  },
  optedOut: {
    en: 'The person has stopped marketing messages.',
    ja: '相手がマーケティングメッセージを停止しています。',
    'zh-Hant': '對方已停止接收行銷訊息。',
  },
  tooFast: {
    en: 'Too many messages to this person within a short time.',
    ja: '短時間に同じ相手へ送りすぎました。',
    'zh-Hant': '短時間內傳送給此人的訊息過多。',
  },
  templateUnknown: {
    en: 'The WhatsApp template does not exist in this language, or is paused or disabled.',
    ja: 'WhatsApp テンプレートがこの言語にないか、停止されています。',
    'zh-Hant': 'WhatsApp 範本沒有此語言版本，或已暫停、停用。',
  },
  templateParameters: {
    en: 'The parameters do not fit the WhatsApp template.',
    ja: 'パラメーターが WhatsApp テンプレートに合っていません。',
    'zh-Hant': '參數與 WhatsApp 範本不符。',
  },
  notAllowed: {
    en: 'The account does not have the permission for this message.',
    ja: 'このメッセージを送る権限がアカウントにありません。',
    'zh-Hant': '此帳號沒有發送此訊息的權限。',
  },
  invalidMessage: {
    en: 'The platform does not accept the message or the recipient.',
    ja: 'メッセージまたは宛先がプラットフォームに受け付けられませんでした。',
    'zh-Hant': '平台不接受此訊息或收件人。',
  },
  otherReason: {
    en: 'The platform refused it; its documentation explains the code.',
    ja: 'プラットフォームに拒否されました。コードの意味は公式文書をご確認ください。',
    'zh-Hant': '平台拒絕此訊息；代碼說明請見平台文件。',
  },
});
