/**
 * Live chats for screenshots of the dashboard: questions of a shop's visitors and the agents' answers, on the real server.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { ulid } from 'ulid';
import type { DashboardWorld } from './dashboard-world.ts';
import { visit } from './live-chat.ts';

type Line = string | { answer: string; agentName: string; quickReplies?: readonly string[] };

const talks: readonly { name: string | null; lines: readonly Line[] }[] = [
  {
    name: '林家豪',
    lines: ['請問有門市可以自取嗎？', { answer: '有的，台北信義店今天就能取貨。', agentName: '雅婷' }],
  },
  { name: null, lines: ['Do you ship to Hong Kong?'] },
  {
    name: '佐藤 美咲',
    lines: ['ギフト包装はできますか？', { answer: 'はい、無料で承ります。', agentName: '雅婷' }],
  },
  {
    name: '陳小美',
    lines: [
      '請問今天下單，明天收得到嗎？',
      { answer: '您好！下午三點前付款，明天就會送到。', agentName: '雅婷' },
      '太好了，另外可以開公司發票嗎？',
      {
        answer: '可以的，結帳時填寫統一編號即可。需要我協助您下單嗎？',
        agentName: '雅婷',
        quickReplies: ['好，麻煩了', '我自己來'],
      },
      '好，麻煩了',
    ],
  },
];

/** Connects live chat and writes the chats. The last visitor stays online until the test ends; returns its id. */
export async function addChats(t: TestContext, { address, botId, token }: DashboardWorld): Promise<string> {
  const call = async (method: string, path: string, body: unknown): Promise<Record<string, unknown>> => {
    const response = await fetch(`${address}/api/v1/bots/${botId}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    assert.ok(response.ok, `${path}: ${response.status}`);
    return (await response.json()) as Record<string, unknown>;
  };
  const { widgetKey } = await call('PATCH', '/channels/liveChat', {});
  const page = { url: 'https://seabreeze.example/collections/spring', title: '海風選物', referrer: '' };
  let last: Awaited<ReturnType<typeof visit>> | undefined;
  for (const { name, lines } of talks) {
    const visitor = await visit(address, String(widgetKey), { ...(name === null ? {} : { name }), page });
    for (const line of lines) {
      if (typeof line === 'string') await visitor.send(line);
      else {
        const { answer: text, ...more } = line;
        await call('POST', `/chats/${visitor.visitorId}/messages`, { messageId: ulid(), text, ...more });
      }
    }
    last = visitor;
  }
  assert.ok(last);
  const socket = last.socket();
  t.after(() => socket.close());
  await socket.until(({ frames }) => frames.some(({ type }) => type === 'ready'));
  return last.visitorId;
}
