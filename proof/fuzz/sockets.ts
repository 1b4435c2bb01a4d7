/** Live chat sockets of the fuzzer: a handshake, a hello, and hostile frames. */
import { WebSocket } from 'undici';
import type { SeededRandom } from '../../simulator/events/random.ts';
import { mutated } from './mutations.ts';
import type { Answer } from './send.ts';
import type { Tenant } from './tenant.ts';
import { hostileValue, toText } from './values.ts';

const framesMax = 4;

/**
 * Opens a socket, sends frames, and closes it. The answer has the status 101 and all received frames; 0 if the server did neither
 * answer the hello nor close the socket in time.
 */
export async function useSocket(
  address: string,
  side: 'visitor' | 'business',
  { tenant, random, msMax }: { tenant: Tenant; random: SeededRandom; msMax: number },
): Promise<Answer> {
  const path =
    side === 'visitor'
      ? `live-chat/v1/${tenant.widgetKey}/socket`
      : `api/v1/bots/${tenant.botId}/chats/socket`;
  const token = tenant.visitorTokens[random.integer(0, tenant.visitorTokens.length - 1)];
  const hello =
    side === 'visitor'
      ? { type: 'hello', visitorToken: token, after: 0 }
      : { type: 'hello', token: tenant.tokens.own };
  const first = random.chance(0.6) ? hello : mutated(hello, random).value;
  const frames = Array.from({ length: random.integer(0, framesMax) }, () =>
    random.chance(0.3)
      ? hostileValue(random)
      : mutated({ type: random.pick(['typing', 'ping', 'seen']), on: true }, random).value,
  );
  const startedAt = performance.now();
  const socket = new WebSocket(`${address.replace('http', 'ws')}/${path}`);
  const { promise, resolve } = Promise.withResolvers<number>();
  const late = setTimeout(() => resolve(0), msMax);
  const received: string[] = [];
  socket.addEventListener('open', () => {
    for (const frame of [first, ...frames]) socket.send(toText(frame));
  });
  socket.addEventListener('message', ({ data }) => {
    received.push(String(data));
    if (String(data).includes('"ready"')) resolve(101);
  });
  socket.addEventListener('error', () => undefined);
  socket.addEventListener('close', () => resolve(101));
  const status = await promise;
  clearTimeout(late);
  socket.close();
  return { status, type: '', text: received.join('\n'), ms: performance.now() - startedAt };
}
