/**
 * The calls of LINE's Messaging API that each scope of an issued token allows, as pure code.
 *
 * `send` lists the calls that a bot needs to send and answer messages. They read one person at a time, by an id that the bot
 * already has, and change nothing of the account. Any other call needs `all`, including calls that LINE adds later.
 */
import type { LineTokenScope } from '../../bots/line-tokens.ts';
import { sendPaths } from './send-calls.ts';

/** `{}` is one segment of the path. */
type SendCall = readonly [method: 'GET' | 'POST', path: string];

export const sendCalls: readonly SendCall[] = [
  ...[...sendPaths.keys()].map((path): SendCall => ['POST', path]),
  ...['push', 'multicast', 'broadcast', 'narrowcast', 'reply'].map(
    (kind): SendCall => ['POST', `/v2/bot/message/validate/${kind}`],
  ),
  ['POST', '/v2/bot/message/markAsRead'],
  ['POST', '/v2/bot/chat/markAsRead'],
  ['POST', '/v2/bot/chat/loading/start'],
  ['GET', '/v2/bot/message/progress/narrowcast'],
  ['GET', '/v2/bot/message/quota'],
  ['GET', '/v2/bot/message/quota/consumption'],
  ['GET', '/v2/bot/message/delivery/{}'],
  ['GET', '/v2/bot/message/delivery/pnp/templated'],
  ['GET', '/v2/bot/message/aggregation/info'],
  ['GET', '/v2/bot/message/aggregation/list'],
  ['GET', '/v2/bot/info'],
  ['GET', '/v2/bot/profile/{}'],
  ['GET', '/v2/bot/group/{}/summary'],
  ['GET', '/v2/bot/group/{}/members/count'],
  ['GET', '/v2/bot/group/{}/member/{}'],
  ['GET', '/v2/bot/room/{}/members/count'],
  ['GET', '/v2/bot/room/{}/member/{}'],
];

const sendForms = sendCalls.map(([method, path]) => ({
  methods: method === 'GET' ? ['GET', 'HEAD'] : [method],
  form: new RegExp(`^${path.replaceAll('{}', '[^/]+')}$`),
}));

/** Returns the smallest scope that allows a call to LINE. The path must be plain (target.ts). */
export function scopeOfCall(method: string, path: string): LineTokenScope {
  if (method === 'GET' && path.startsWith('/v2/bot/insight/')) return 'insight';
  const isListed = sendForms.some(({ methods, form }) => methods.includes(method) && form.test(path));
  return isListed ? 'send' : 'all';
}
