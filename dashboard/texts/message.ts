/** Texts of a message's content: text, variables, quick replies, and the WhatsApp template. */
import { defineTexts } from '../preferences/language.ts';

export const t = defineTexts('message', {
  text: { en: 'Text', ja: '本文', 'zh-Hant': '內容' },
  lengthOf: {
    en: '{{length}} of {{max}} characters.',
    ja: '{{length}} / {{max}} 文字。',
    'zh-Hant': '{{length}} / {{max}} 字。',
  },
  variableHint: {
    en: '{{variable}} becomes the name of each contact, or “customer” if it has none.',
    ja: '{{variable}} は連絡先の名前になり、名前がなければ「customer」になります。',
    'zh-Hant': '{{variable}} 會換成聯絡人的名稱；沒有名稱時為「customer」。',
  },
  insert: { en: 'Insert a variable', ja: '変数を挿入', 'zh-Hant': '插入變數' },
  'variable-name': { en: 'Name', ja: '名前', 'zh-Hant': '名稱' },
  'variable-customerId': { en: 'Customer id', ja: '顧客 ID', 'zh-Hant': '顧客編號' },
  'variable-userName': { en: 'Full name', ja: '氏名', 'zh-Hant': '姓名' },
  'variable-userEmail': { en: 'E-mail', ja: 'メールアドレス', 'zh-Hant': '電子郵件' },
  'variable-userPhone': { en: 'Telephone', ja: '電話番号', 'zh-Hant': '電話' },
  'variable-userBirthday': { en: 'Birthday', ja: '誕生日', 'zh-Hant': '生日' },
  'variable-userAddress': { en: 'Address', ja: '住所', 'zh-Hant': '地址' },

  quickReplies: { en: 'Quick replies', ja: 'クイックリプライ', 'zh-Hant': '快速回覆' },
  repliesHint: {
    en: 'Buttons below the message: LINE, Messenger and Instagram show 13, live chat 10, WhatsApp 3.',
    ja: 'メッセージの下のボタン：LINE・Messenger・Instagram は13個、ライブチャットは10個、WhatsApp は3個まで。',
    'zh-Hant': '訊息下方的按鈕：LINE、Messenger、Instagram 最多 13 個，即時客服 10 個，WhatsApp 3 個。',
  },
  repliesHintOf: {
    en: 'Buttons below the message, {{max}} at most.',
    ja: 'メッセージの下のボタン（{{max}}個まで）。',
    'zh-Hant': '訊息下方的按鈕，最多 {{max}} 個。',
  },
  newReply: {
    en: 'Button text for the visitor, then Enter',
    ja: '訪問者に表示するボタン（Enterで追加）',
    'zh-Hant': '給訪客的按鈕文字，按 Enter 加入',
  },
  removeReply: { en: 'Remove “{{text}}”', ja: '「{{text}}」を削除', 'zh-Hant': '移除「{{text}}」' },

  whatsApp: { en: 'WhatsApp template', ja: 'WhatsApp テンプレート', 'zh-Hant': 'WhatsApp 範本' },
  whatsAppHint: {
    en: 'WhatsApp requires an approved template 24 hours after the contact’s last message.',
    ja: '連絡先の最後のメッセージから24時間が過ぎると、WhatsApp では承認済みテンプレートが必要です。',
    'zh-Hant': '距聯絡人最後一則訊息超過 24 小時，WhatsApp 僅能發送已核准的範本。',
  },
  accountTemplate: { en: 'Approved template', ja: '承認済みテンプレート', 'zh-Hant': '已核准的範本' },
  chooseTemplate: { en: 'Choose…', ja: '選択…', 'zh-Hant': '請選擇…' },
  templateName: { en: 'Template name', ja: 'テンプレート名', 'zh-Hant': '範本名稱' },
  templateLanguage: { en: 'Language code', ja: '言語コード', 'zh-Hant': '語言代碼' },
  parameterCount: { en: 'Number of parameters', ja: 'パラメーターの数', 'zh-Hant': '參數數量' },
  parameter: { en: 'Parameter {{number}}', ja: 'パラメーター {{number}}', 'zh-Hant': '參數 {{number}}' },
  notListed: {
    en: {
      one: '{{count}} template is not listed: not approved, or with parameters outside of the body.',
      other: '{{count}} templates are not listed: not approved, or with parameters outside of the body.',
    },
    ja: '{{count}}件は未承認か、本文以外にパラメーターがあるため表示していません。',
    'zh-Hant': '另有 {{count}} 個範本未列出：尚未核准，或參數不在內文中。',
  },
  noList: {
    en: 'Meta gives no list, so enter name and language. {{problem}}',
    ja: 'Meta から一覧を取得できないため、名前と言語を入力してください。{{problem}}',
    'zh-Hant': '無法從 Meta 取得清單，請輸入名稱與語言。{{problem}}',
  },
});
