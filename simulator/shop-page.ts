/** A shop's page with the chat widget. Its own port makes it another origin than Shoal's, like a customer's page. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type ShopPage = { origin: string; close(): Promise<void> };

/** Serves the page on a free port of loopback. `script` returns the URL and the key of the widget, which are known later. */
export async function startShopPage(script: () => { src: string; widgetKey: string }): Promise<ShopPage> {
  const server = createServer((_request, response) => {
    const { src, widgetKey } = script();
    const host = new URL(src).host;
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': `default-src 'none'; style-src 'self' 'unsafe-inline'; script-src http://${host}; connect-src http://${host} ws://${host}`,
    });
    response.end(html(src, widgetKey));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function html(src: string, widgetKey: string): string {
  return `<!doctype html>
<html lang="zh-Hant">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>示範商店 Demo shop</title>
<style>
body { font: 1.0625rem/1.7 system-ui, sans-serif; margin: 0 auto; max-width: 38rem; padding: 3rem 1.25rem; color-scheme: light dark; }
h1 { font-size: 1.75rem; }
</style>
</head>
<body>
<h1>示範商店</h1>
<p>右下角就是即時客服。寫點什麼，示範機器人會回覆；您的訊息會出現在後台的「即時客服」。</p>
<p lang="ja">右下のボタンからチャットを始められます。メッセージはダッシュボードに届きます。</p>
<p lang="en">Live chat is at the lower right. Your messages appear in the dashboard, and the demo’s bot answers.</p>
<script src="${src}" data-widget-key="${widgetKey}" async></script>
</body>
</html>
`;
}
