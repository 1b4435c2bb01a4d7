/** Texts of the channels' set-up, with the terms of each platform's console. */
import { defineTexts } from '../preferences/language.ts';

/** Texts without values: those that a guide names. */
export type ChannelText = keyof typeof guideTexts;

const guideTexts = {
  lineCopy: {
    en: 'Open your Messaging API channel. The channel ID and the channel secret are on the tab “Basic settings”.',
    ja: 'Messaging APIチャネルを開きます。チャネルIDとチャネルシークレットは「チャネル基本設定」タブにあります。',
    'zh-Hant': '開啟您的 Messaging API 頻道。Channel ID 與 Channel secret 位於「Basic settings」分頁。',
  },
  lineChannelId: { en: 'Channel ID', ja: 'チャネルID', 'zh-Hant': 'Channel ID' },
  lineChannelIdHint: {
    en: 'Not needed to receive messages. With it, Shoal fetches names, pictures and LINE’s figures.',
    ja: '受信だけなら不要です。設定すると、名前、画像、LINEの統計情報を取得します。',
    'zh-Hant': '僅接收訊息時可不填。填入後會取得名稱、頭像與 LINE 的統計資料。',
  },
  lineSecret: { en: 'Channel secret', ja: 'チャネルシークレット', 'zh-Hant': 'Channel secret' },
  lineAccessToken: {
    en: 'Channel access token (long-lived)',
    ja: 'チャネルアクセストークン（長期）',
    'zh-Hant': 'Channel access token（long-lived）',
  },
  lineAccessTokenHint: {
    en: 'Not needed with a channel ID.',
    ja: 'チャネルIDを入力した場合は不要です。',
    'zh-Hant': '已填 Channel ID 時可不填。',
  },
  metaAccessToken: {
    en: 'Access token',
    ja: 'アクセストークン',
    'zh-Hant': '存取權杖',
  },
  metaAccessTokenHint: {
    en: 'Not needed to receive messages. With it, Shoal fetches Meta’s figures every day. Meta checks it when you save.',
    ja: '受信だけなら不要です。設定すると、Metaの統計情報を毎日取得します。保存時に Meta が確認します。',
    'zh-Hant': '僅接收訊息時可不填。填入後會每天取得 Meta 的統計資料；儲存時由 Meta 檢查。',
  },
  businessAccountId: {
    en: 'WhatsApp business account ID',
    ja: 'WhatsApp ビジネスアカウント ID',
    'zh-Hant': 'WhatsApp 商業帳號 ID',
  },
  linePaste: {
    en: 'On the tab “Messaging API”, set this as the Webhook URL and press “Verify”. It must say “Success”.',
    ja: '「Messaging API設定」タブのWebhook URLに貼り付け、「検証」を押します。「成功」と表示されれば完了です。',
    'zh-Hant': '在「Messaging API」分頁將此貼到 Webhook URL，然後按「Verify」，應顯示「Success」。',
  },
  lineSubscribe: {
    en: 'On the same tab, switch on both. With redelivery, LINE resends deliveries that could not be stored.',
    ja: '同じタブで「Webhookの利用」と「Webhookの再送」をオンにします。再送をオンにすると、保存できなかったものをLINEがもう一度送ります。',
    'zh-Hant': '在同一分頁開啟以下兩項。開啟重送後，未能儲存的內容 LINE 會再傳送一次。',
  },
  lineTest: {
    en: 'Press “Verify” in the console, or write to your official account from your own LINE.',
    ja: 'コンソールで「検証」を押すか、ご自身のLINEから公式アカウントにメッセージを送ってください。',
    'zh-Hant': '在主控台按「Verify」，或用您自己的 LINE 傳訊息給官方帳號。',
  },

  metaCopy: {
    en: 'Open your app. The app secret is under App settings → Basic. The page ID is in the page’s settings, under “About”.',
    ja: 'アプリを開きます。app secretは「アプリの設定 → ベーシック」に、ページIDはFacebookページの「基本データ」にあります。',
    'zh-Hant':
      '開啟您的應用程式。應用程式密鑰位於「應用程式設定 → 基本資料」，粉絲專頁編號位於粉絲專頁的「關於」。',
  },
  appSecret: { en: 'App secret', ja: 'app secret', 'zh-Hant': '應用程式密鑰（App secret）' },
  pageId: { en: 'Page ID', ja: 'ページID', 'zh-Hant': '粉絲專頁編號（Page ID）' },
  facebookPaste: {
    en: 'In the app: Messenger → Messenger API settings → Configure webhooks. Paste both, then “Verify and save”.',
    ja: 'アプリの「Messenger → Messenger APIの設定 → Webhookを設定」に両方を貼り付け、「確認して保存」を押します。',
    'zh-Hant':
      '在應用程式的「Messenger → Messenger API 設定 → 設定 Webhook」貼上兩者，然後按「驗證並儲存」。',
  },
  facebookSubscribe: {
    en: 'Subscribe to these fields, then add a subscription for the page itself in the same place.',
    ja: '次のフィールドを購読し、同じ画面でページ自体の購読も追加します。',
    'zh-Hant': '訂閱以下欄位，並在同一處新增粉絲專頁本身的訂閱。',
  },
  facebookTest: {
    en: 'Write a message to your page from another account.',
    ja: '別のアカウントからページにメッセージを送ってください。',
    'zh-Hant': '用其他帳號傳訊息給您的粉絲專頁。',
  },

  instagramCopy: {
    en: 'A professional account is needed. The app secret is under App settings → Basic.',
    ja: 'プロアカウントが必要です。app secretは「アプリの設定 → ベーシック」にあります。',
    'zh-Hant': '需要專業帳號。應用程式密鑰位於「應用程式設定 → 基本資料」。',
  },
  instagramId: { en: 'Instagram account ID', ja: 'InstagramアカウントID', 'zh-Hant': 'Instagram 帳號編號' },
  instagramIdHint: {
    en: 'With Instagram Login: the user_id that /me returns. With Facebook Login: the ID of the account linked to the page.',
    ja: 'Instagramログインの場合は/meが返すuser_id、Facebookログインの場合はページに連携したアカウントのIDです。',
    'zh-Hant':
      '使用 Instagram 登入時為 /me 回傳的 user_id；使用 Facebook 登入時為與粉絲專頁連結之帳號的編號。',
  },
  instagramSecretHint: {
    en: 'An app with Instagram Login has a separate secret, next to “API setup with Instagram login”.',
    ja: 'Instagramログインのアプリには、「InstagramログインによるAPI設定」に別のシークレットがあります。',
    'zh-Hant': '使用 Instagram 登入的應用程式在「使用 Instagram 登入設定 API」旁有另一組密鑰。',
  },
  instagramPaste: {
    en: 'In the app: Instagram → API setup → Configure webhooks. Paste both, then “Verify and save”.',
    ja: 'アプリの「Instagram → API設定 → Webhookを設定」に両方を貼り付け、「確認して保存」を押します。',
    'zh-Hant': '在應用程式的「Instagram → API 設定 → 設定 Webhook」貼上兩者，然後按「驗證並儲存」。',
  },
  instagramSubscribe: {
    en: 'Subscribe to these fields, and to message_echoes if it is offered. To receive real messages, the app must be live.',
    ja: '次のフィールドを購読します（message_echoesは表示される場合のみ）。実際のメッセージを受信するには、アプリを「ライブ」にする必要があります。',
    'zh-Hant': '訂閱以下欄位（message_echoes 若有提供）。應用程式須為「上線」狀態才能收到真實訊息。',
  },
  instagramTest: {
    en: 'Write a direct message to your account from another one.',
    ja: '別のアカウントからダイレクトメッセージを送ってください。',
    'zh-Hant': '用其他帳號傳私訊給您的帳號。',
  },

  whatsappCopy: {
    en: 'Open your app. The phone number ID is under WhatsApp → API setup, the app secret under App settings → Basic.',
    ja: 'アプリを開きます。電話番号IDは「WhatsApp → API設定」、app secretは「アプリの設定 → ベーシック」にあります。',
    'zh-Hant':
      '開啟您的應用程式。電話號碼編號位於「WhatsApp → API 設定」，應用程式密鑰位於「應用程式設定 → 基本資料」。',
  },
  phoneNumberId: { en: 'Phone number ID', ja: '電話番号ID', 'zh-Hant': '電話號碼編號（Phone number ID）' },
  phoneNumberIdHint: {
    en: 'Not the number itself.',
    ja: '電話番号そのものではありません。',
    'zh-Hant': '並非電話號碼本身。',
  },
  whatsappPaste: {
    en: 'In the app: WhatsApp → Configuration. Paste both, then “Verify and save”.',
    ja: 'アプリの「WhatsApp → 設定」に両方を貼り付け、「確認して保存」を押します。',
    'zh-Hant': '在應用程式的「WhatsApp → 設定」貼上兩者，然後按「驗證並儲存」。',
  },
  whatsappSubscribe: {
    en: 'Subscribe to messages, and to smb_message_echoes if you also use the WhatsApp Business app.',
    ja: 'messagesを購読します。WhatsApp Businessアプリも併用している場合はsmb_message_echoesも購読します。',
    'zh-Hant': '訂閱 messages；若同時使用 WhatsApp Business 應用程式，也訂閱 smb_message_echoes。',
  },
  whatsappTest: {
    en: 'Write a message to your number from another phone.',
    ja: '別の電話からこの番号にメッセージを送ってください。',
    'zh-Hant': '用其他手機傳訊息到您的號碼。',
  },
} as const;

export const t = defineTexts('channels', {
  ...guideTexts,

  channelsNote: {
    en: 'One channel per platform. Figures start when it is connected.',
    ja: 'プラットフォームごとに1つ接続できます。接続した時点から集計します。',
    'zh-Hant': '每個平台最多連接一個，自連接起開始計算。',
  },
  allChannels: { en: 'All channels', ja: 'チャネル一覧', 'zh-Hant': '所有頻道' },
  notConnected: { en: 'Not connected', ja: '未接続', 'zh-Hant': '未連接' },
  connected: { en: 'Connected', ja: '接続済み', 'zh-Hant': '已連接' },
  disabled: { en: 'Switched off', ja: '停止中', 'zh-Hant': '已停用' },
  notConnectedNote: {
    en: 'Set it up in a few minutes.',
    ja: '数分で設定できます。',
    'zh-Hant': '幾分鐘即可完成設定。',
  },
  nothingYet: {
    en: 'No deliveries yet.',
    ja: 'まだ受信していません。',
    'zh-Hant': '尚未收到任何內容。',
  },
  lastDelivery: { en: 'Last delivery {{at}}', ja: '最終受信：{{at}}', 'zh-Hant': '上次接收：{{at}}' },
  setUp: { en: 'Set up', ja: '設定', 'zh-Hant': '設定' },
  setUpWhich: { en: 'Set up {{platform}}', ja: '{{platform}}を設定', 'zh-Hant': '設定 {{platform}}' },
  open: { en: 'Open', ja: '開く', 'zh-Hant': '開啟' },
  openWhich: { en: 'Open {{platform}}', ja: '{{platform}}を開く', 'zh-Hant': '開啟 {{platform}}' },
  enable: { en: 'Switch on', ja: '再開', 'zh-Hant': '啟用' },
  enableWhich: { en: 'Switch on {{platform}}', ja: '{{platform}}を再開', 'zh-Hant': '啟用 {{platform}}' },
  enabled: { en: '{{platform}} is on', ja: '{{platform}}を再開しました', 'zh-Hant': '已啟用 {{platform}}' },
  disable: { en: 'Switch off', ja: '停止', 'zh-Hant': '停用' },
  disableWhich: { en: 'Switch off {{platform}}', ja: '{{platform}}を停止', 'zh-Hant': '停用 {{platform}}' },
  disabledDone: {
    en: '{{platform}} is off',
    ja: '{{platform}}を停止しました',
    'zh-Hant': '已停用 {{platform}}',
  },
  disableAsk: {
    en: 'Shoal refuses the platform’s deliveries and does not count them until you switch it on again. The credentials stay stored.',
    ja: '再開するまで、プラットフォームからの配信は拒否され、集計されません。認証情報は残ります。',
    'zh-Hant': '重新啟用前，平台傳送的內容會被拒絕且不計入。認證資訊會保留。',
  },
  disableChatAsk: {
    en: 'Visitors can neither read nor write until you switch it on again. The chats stay stored.',
    ja: '再開するまで、訪問者は閲覧も送信もできません。チャットの履歴は残ります。',
    'zh-Hant': '重新啟用前，訪客無法查看或傳送訊息。聊天紀錄會保留。',
  },

  stepCopy: { en: 'Copy from the console', ja: 'コンソールからコピー', 'zh-Hant': '從主控台複製' },
  stepPaste: { en: 'Paste into the console', ja: 'コンソールに貼り付け', 'zh-Hant': '貼到主控台' },
  stepSubscribe: { en: 'Switch on', ja: 'オンにする', 'zh-Hant': '開啟' },
  stepTest: { en: 'Test', ja: 'テスト', 'zh-Hant': '測試' },
  kept: {
    en: 'Already set. Leave empty to keep it.',
    ja: '設定済みです。空欄なら変更しません。',
    'zh-Hant': '已設定。留空則不變更。',
  },
  previousUntil: {
    en: 'The previous secret stays valid until {{at}}.',
    ja: '以前のシークレットも{{at}}まで有効です。',
    'zh-Hant': '先前的密鑰在 {{at}} 前仍有效。',
  },
  webhookAddress: { en: 'Webhook URL', ja: 'Webhook URL', 'zh-Hant': 'Webhook URL' },
  verifyToken: {
    en: 'Verify token',
    ja: '検証トークン（Verify token）',
    'zh-Hant': '驗證權杖（Verify token）',
  },
  verifyTokenSaveFirst: {
    en: 'Save above first: Meta calls this address immediately to verify it.',
    ja: '先に上の「保存」を押してください。MetaはすぐにこのURLを確認します。',
    'zh-Hant': '請先在上方儲存：Meta 會立即呼叫此網址進行驗證。',
  },
  verifyTokenSet: {
    en: 'The verify token is set and cannot be shown again. Create a new one above to change it.',
    ja: '検証トークンは設定済みで、再表示はできません。変更する場合は上で新しく作成してください。',
    'zh-Hant': '驗證權杖已設定且不會再顯示。若要變更，請在上方產生新的。',
  },
  newVerifyToken: { en: 'New verify token', ja: '新しい検証トークン', 'zh-Hant': '新的驗證權杖' },
  notHttps: {
    en: 'This page was not loaded over https. Platforms deliver only to https addresses: use the public address of this server.',
    ja: 'このページはhttpsではありません。プラットフォームはhttpsのURLにのみ配信します。サーバーの公開URLをお使いください。',
    'zh-Hant': '此頁面並非透過 https 開啟。平台只會傳送到 https 網址，請使用此伺服器的公開網址。',
  },
  saveFirst: { en: 'Save step 1 first.', ja: '先に手順1を保存してください。', 'zh-Hant': '請先儲存步驟 1。' },
  waiting: {
    en: 'Waiting for the first delivery…',
    ja: '最初の受信を待っています…',
    'zh-Hant': '等待第一筆資料…',
  },
  waitingForAnother: {
    en: 'Waiting for the next delivery…',
    ja: '次の受信を待っています…',
    'zh-Hant': '等待下一筆資料…',
  },
  cameIn: {
    en: 'It works: a delivery arrived {{at}}',
    ja: '受信できています：{{at}}',
    'zh-Hant': '運作正常：已於 {{at}} 收到資料',
  },
  anotherCameIn: {
    en: 'It works: another delivery arrived {{at}}',
    ja: '新しく受信しました：{{at}}',
    'zh-Hant': '運作正常：已於 {{at}} 收到新資料',
  },
  waitForAnother: { en: 'Test again', ja: 'もう一度テスト', 'zh-Hant': '再測試一次' },
  nothingComes: {
    en: 'If nothing arrives, check that the secret is correct and that this server is reachable from the internet over https.',
    ja: '受信できない場合は、シークレットが正しいか、このサーバーにインターネットからhttpsで接続できるかを確認してください。',
    'zh-Hant': '若一直沒有收到：請確認密鑰正確，且可從網際網路以 https 連線到此伺服器。',
  },

  chatNotConnected: {
    en: 'No live chat yet',
    ja: 'ライブチャットはまだありません',
    'zh-Hant': '尚未設定即時客服',
  },
  chatIntro: {
    en: 'Add one line to your pages, and visitors can message you.',
    ja: 'ページに1行追加するだけで、訪問者とチャットできます。',
    'zh-Hant': '在您的網頁加入一行程式碼，訪客就能與您聊天。',
  },
  chatSetUp: { en: 'Set up live chat', ja: 'ライブチャットを設定', 'zh-Hant': '設定即時客服' },
  script: { en: 'On your pages', ja: 'ページへの設置', 'zh-Hant': '安裝到網頁' },
  scriptNote: {
    en: 'Put this line before </body> on every page that shows the chat.',
    ja: 'チャットを表示するページの</body>の直前に、この行を追加します。',
    'zh-Hant': '在要顯示聊天的每個網頁的 </body> 之前加入這一行。',
  },
  scriptLine: { en: 'Script line', ja: 'スクリプト', 'zh-Hant': '程式碼' },
  scriptHint: {
    en: 'The key is not secret; it identifies your chat. data-language="ja" sets a language.',
    ja: 'キーは秘密情報ではなく、チャットを識別するものです。data-language="ja" のように言語を指定できます。',
    'zh-Hant': '金鑰並非機密，僅用於識別您的聊天。可加上 data-language="zh-Hant" 指定語言。',
  },
  newWidgetKey: { en: 'New widget key', ja: '新しいウィジェットキー', 'zh-Hant': '新的小工具金鑰' },
  newWidgetKeyAsk: {
    en: 'The line on your pages changes. The current key works for 7 more days.',
    ja: 'ページに設置する行が変わります。現在のキーは7日間有効です。',
    'zh-Hant': '網頁上的程式碼會改變，目前的金鑰仍可使用 7 天。',
  },
  previousKeyUntil: {
    en: 'The previous key works until {{at}}.',
    ja: '以前のキーも{{at}}まで有効です。',
    'zh-Hant': '先前的金鑰在 {{at}} 前仍有效。',
  },
  origins: { en: 'Allowed sites', ja: '設置できるサイト', 'zh-Hant': '允許的網站' },
  originsNote: {
    en: 'Pages of other sites are refused. Without entries, any site can show the chat.',
    ja: 'ここにないサイトからの接続は拒否されます。空欄ならどのサイトでも使えます。',
    'zh-Hant': '其他網站的網頁會被拒絕。未填寫時，任何網站皆可使用。',
  },
  allowedOrigins: { en: 'Allowed origins', ja: '許可するオリジン', 'zh-Hant': '允許的來源' },
  allowedOriginsHint: {
    en: 'One per line, like https://shop.example, without a path.',
    ja: '1行に1つ、https://shop.example のようにパスなしで入力します。',
    'zh-Hant': '每行一個，例如 https://shop.example，不含路徑。',
  },
  originWrong: {
    en: '“{{origin}}” is not an origin. Enter it like https://shop.example, without a path.',
    ja: '「{{origin}}」はオリジンではありません。https://shop.example のようにパスなしで入力してください。',
    'zh-Hant': '「{{origin}}」不是有效的來源，請輸入如 https://shop.example 的格式，不含路徑。',
  },
  identity: { en: 'Signed-in customers', ja: 'ログイン中の顧客', 'zh-Hant': '已登入的顧客' },
  identityNote: {
    en: 'Your server proves a visitor’s identity, so that no one can pose as a customer.',
    ja: '自社サーバーが訪問者の本人性を保証し、なりすましを防ぎます。',
    'zh-Hant': '由您的伺服器證明訪客身分，防止他人冒充顧客。',
  },
  identityKey: { en: 'Identity key', ja: 'ID検証キー', 'zh-Hant': '身分驗證金鑰' },
  identityKeyHint: {
    en: 'Store it on your server, never in a page.',
    ja: 'サーバー側にのみ保管し、ページには書かないでください。',
    'zh-Hant': '只能放在您的伺服器，絕不可寫入網頁。',
  },
  makeIdentityKey: { en: 'Create identity key', ja: 'ID検証キーを作成', 'zh-Hant': '建立身分驗證金鑰' },
  newIdentityKey: { en: 'New identity key', ja: '新しいID検証キー', 'zh-Hant': '新的身分驗證金鑰' },
  newIdentityKeyAsk: {
    en: 'The current key stops working immediately. Customers are not recognised until your server uses the new one.',
    ja: '現在のキーは直ちに無効になります。サーバーに新しいキーを設定するまで、顧客は認識されません。',
    'zh-Hant': '目前的金鑰會立即失效；在您的伺服器換上新金鑰前，無法識別顧客。',
  },
  identityLine: {
    en: 'Added to the script line',
    ja: 'スクリプトに追加する属性',
    'zh-Hant': '加入程式碼的屬性',
  },
  identityLineHint: {
    en: 'Your server outputs these for the signed-in customer.',
    ja: 'ログイン中の顧客に応じて、サーバー側で出力します。',
    'zh-Hant': '由您的伺服器依登入的顧客輸出。',
  },
  identityRequired: {
    en: 'Only customers may chat',
    ja: '顧客のみチャットを利用できる',
    'zh-Hant': '僅限顧客使用聊天',
  },
  identityRequiredHint: {
    en: 'Visitors without proof of identity from your server are refused.',
    ja: 'サーバーが保証しない訪問者は利用できません。',
    'zh-Hant': '未經您的伺服器證明的訪客會被拒絕。',
  },
  identityNeedsKey: {
    en: 'Create an identity key first.',
    ja: '先にID検証キーを作成してください。',
    'zh-Hant': '請先建立身分驗證金鑰。',
  },
});
