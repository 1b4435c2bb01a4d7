/** Texts of invitations, and of the bots and the state of users. */
import { defineTexts } from '../preferences/language.ts';

export const t = defineTexts('users', {
  invitations: { en: 'Invitations', ja: '招待', 'zh-Hant': '邀請' },
  invitationsNote: {
    en: 'An invited person opens the link, and chooses a name and a password. A link works once.',
    ja: '招待された人はリンクを開き、名前とパスワードを設定します。リンクは一度だけ使えます。',
    'zh-Hant': '受邀者開啟連結後，自行設定名稱與密碼。每個連結只能使用一次。',
  },
  invite: { en: 'Invite', ja: '招待する', 'zh-Hant': '邀請' },
  createLink: { en: 'Create the link', ja: 'リンクを作成', 'zh-Hant': '建立連結' },
  invitationLink: { en: 'Invitation link', ja: '招待リンク', 'zh-Hant': '邀請連結' },
  linkOnce: {
    en: 'Send this link to the person. It is shown only now.',
    ja: 'このリンクを相手に送ってください。表示は今回限りです。',
    'zh-Hant': '請將此連結傳給對方，只會顯示這一次。',
  },
  validUntil: { en: 'Valid until', ja: '有効期限', 'zh-Hant': '有效期限' },
  invitedBy: { en: 'Invited by', ja: '招待した人', 'zh-Hant': '邀請者' },
  withdraw: { en: 'Withdraw', ja: '取り消す', 'zh-Hant': '撤回' },
  withdrawn: { en: 'Withdrawn', ja: '取り消しました', 'zh-Hant': '已撤回' },
  noInvitations: { en: 'No open invitations', ja: '有効な招待はありません', 'zh-Hant': '沒有有效的邀請' },
  chooseBots: { en: 'Choose a bot.', ja: 'ボットを選択してください。', 'zh-Hant': '請選擇機器人。' },
  disabled: { en: 'disabled', ja: '無効', 'zh-Hant': '已停用' },
  disable: { en: 'Disable', ja: '無効にする', 'zh-Hant': '停用' },
  enable: { en: 'Enable', ja: '有効にする', 'zh-Hant': '啟用' },
  disableWhich: { en: 'Disable {{name}}', ja: '{{name}}を無効にする', 'zh-Hant': '停用 {{name}}' },
  enableWhich: { en: 'Enable {{name}}', ja: '{{name}}を有効にする', 'zh-Hant': '啟用 {{name}}' },
  join: { en: 'Join Shoal', ja: 'Shoal に参加', 'zh-Hant': '加入 Shoal' },
  joinIntro: {
    en: 'You are invited. Choose a name and a password to sign in with.',
    ja: '招待されています。サインインに使う名前とパスワードを設定してください。',
    'zh-Hant': '你已受邀。請設定登入用的名稱與密碼。',
  },
  invitationMissing: {
    en: 'This page needs an invitation link.',
    ja: 'このページを開くには招待リンクが必要です。',
    'zh-Hant': '此頁面需要邀請連結。',
  },
  invitationInvalid: {
    en: 'This invitation has expired, was used or was withdrawn. Ask for a new one.',
    ja: 'この招待は期限切れか、使用済みか、取り消されています。新しい招待を依頼してください。',
    'zh-Hant': '此邀請已過期、已使用或已撤回。請索取新的邀請。',
  },
});
