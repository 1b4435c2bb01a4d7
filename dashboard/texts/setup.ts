/** Texts of the page that creates the first user. */
import { defineTexts } from '../preferences/language.ts';

export const t = defineTexts('setup', {
  setUp: { en: 'Set up Shoal', ja: 'Shoal の初期設定', 'zh-Hant': '設定 Shoal' },
  setUpIntro: {
    en: 'Create the first user, who may do everything. Then create a bot and connect its channels.',
    ja: 'すべての権限を持つ最初のユーザーを作成します。続けてボットを作成し、チャネルを接続します。',
    'zh-Hant': '請建立擁有所有權限的第一位使用者，接著建立機器人並連接頻道。',
  },
  createUser: { en: 'Create the user', ja: 'ユーザーを作成', 'zh-Hant': '建立使用者' },
  creatingUser: { en: 'Creating…', ja: '作成しています…', 'zh-Hant': '建立中…' },
  setUpLinkMissing: {
    en: 'This page needs a setup link. The server prints one at its first start, and the command “npx shoal setup-link” prints a new one.',
    ja: 'このページを開くにはセットアップリンクが必要です。サーバーの初回起動時に表示されるか、「npx shoal setup-link」で新しく発行できます。',
    'zh-Hant': '此頁面需要設定連結。伺服器首次啟動時會顯示，也可以執行「npx shoal setup-link」取得新的連結。',
  },
  setUpLinkInvalid: {
    en: 'This setup link has expired or was used. The command “npx shoal setup-link” prints a new one.',
    ja: 'このセットアップリンクは有効期限が切れているか、すでに使用されています。「npx shoal setup-link」で新しく発行できます。',
    'zh-Hant': '此設定連結已過期或已使用。請執行「npx shoal setup-link」取得新的連結。',
  },
  toSignIn: { en: 'To the sign-in page', ja: 'サインインページへ', 'zh-Hant': '前往登入頁面' },
});
