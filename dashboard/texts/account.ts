/** Texts of a user's own account. */
import { defineTexts } from '../preferences/language.ts';

export const t = defineTexts('account', {
  account: { en: 'My account', ja: 'マイアカウント', 'zh-Hant': '我的帳號' },
  tokenOnly: {
    en: 'You are signed in with an admin token, which has no account. Sign in as a user.',
    ja: '管理トークンでサインインしているため、アカウントはありません。ユーザーとしてサインインしてください。',
    'zh-Hant': '目前以管理權杖登入，沒有帳號。請以使用者身分登入。',
  },
  name: { en: 'Name', ja: '名前', 'zh-Hant': '名稱' },
  currentPassword: { en: 'Current password', ja: '現在のパスワード', 'zh-Hant': '目前的密碼' },
  newPassword: { en: 'New password', ja: '新しいパスワード', 'zh-Hant': '新密碼' },
  saved: { en: 'Saved', ja: '保存しました', 'zh-Hant': '已儲存' },
  password: { en: 'Password', ja: 'パスワード', 'zh-Hant': '密碼' },
  passwordNote: {
    en: 'A new password ends all other sessions.',
    ja: 'パスワードを変更すると、ほかのセッションはすべて終了します。',
    'zh-Hant': '變更密碼後，其他工作階段都會結束。',
  },
  wrongPassword: {
    en: 'The current password is incorrect.',
    ja: '現在のパスワードが正しくありません。',
    'zh-Hant': '目前的密碼不正確。',
  },
  sessions: { en: 'Sessions', ja: 'セッション', 'zh-Hant': '工作階段' },
  sessionsNote: {
    en: 'Browsers that are signed in as you.',
    ja: 'あなたとしてサインインしているブラウザーです。',
    'zh-Hant': '以你的身分登入的瀏覽器。',
  },
  browser: { en: 'Browser', ja: 'ブラウザー', 'zh-Hant': '瀏覽器' },
  address: { en: 'Address', ja: 'IPアドレス', 'zh-Hant': '位址' },
  lastUsed: { en: 'Last used', ja: '最終使用', 'zh-Hant': '最後使用' },
  thisBrowser: { en: 'This browser', ja: 'このブラウザー', 'zh-Hant': '這個瀏覽器' },
  unknown: { en: 'Unknown', ja: '不明', 'zh-Hant': '不明' },
  end: { en: 'End', ja: '終了', 'zh-Hant': '結束' },
  endOthers: { en: 'End all others', ja: 'ほかをすべて終了', 'zh-Hant': '結束其他全部' },
  ended: { en: 'Ended', ja: '終了しました', 'zh-Hant': '已結束' },
});
