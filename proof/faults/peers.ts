/** Faults of the other side: receivers and LINE hang; clients hold connections, send slowly, send much, or flood with sockets. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { watchMemory } from '../../bench/watch.ts';
import { randomOf } from '../../simulator/events/random.ts';
import { lineSignature } from '../../tests/harness/fixtures.ts';
import { openSocket } from '../../tests/harness/live-chat.ts';
import { requestHead } from '../../tests/harness/raw-connection.ts';
import { deliver, lineBody, lineDestination, lineSecret } from '../../tests/harness/webhooks.ts';
import { Failure } from '../part.ts';
import type { World } from '../world/world.ts';
import type { Fault } from './fault.ts';

const connectAtOnce = 100;
export const memoryEveryMs = 50;

/** The receiver of webhooks and LINE accept calls and never answer. Deliveries go on and are counted. */
export const hangingPeers: Fault = {
  name: 'receiver and LINE hang',
  seconds: { full: 30, quick: 2 },
  async run({ world, load, proving, seconds }) {
    const usual = world.shop.answer;
    const hanging = new Set<{ destroy(): void }>();
    world.shop.answer = (_webhook, response) => void hanging.add(response);
    // In the short form LINE answers late, because a caller would wait longer than the form takes.
    const late = { kind: 'slow', delayMs: seconds * 1_000 } as const;
    world.line.control.fail({
      ...(proving.isQuick ? late : { kind: 'hang' }),
      path: '/v2/',
      count: Number.MAX_SAFE_INTEGER,
    });
    await pause(seconds * 1_000);
    await load.goesOn(10);
    const { deliveries } = await world.pending();
    if (deliveries > 1_000) throw new Failure(`${deliveries} deliveries wait while a receiver hangs`);
    world.line.control.heal();
    world.shop.answer = usual;
    for (const response of hanging) response.destroy();
  },
};

export const idleConnections: Fault = {
  name: 'idle connections',
  seconds: { full: 20, quick: 1 },
  async run({ world, load, proving, count, seconds }) {
    const wanted = proving.isQuick ? 500 : 5_000;
    const sockets = await openSockets(world, wanted);
    count('connections', sockets.length);
    if (sockets.length < wanted)
      proving.notAvailable(`${wanted} idle connections`, `${sockets.length} could be opened`);
    await pause(seconds * 1_000);
    await load.goesOn(10);
    for (const socket of sockets) socket.destroy();
  },
};

/** Signed deliveries whose bodies come byte by byte. Others are answered as usual. */
export const slowSenders: Fault = {
  name: 'slow senders',
  seconds: { full: 30, quick: 1 },
  async run({ world, load, proving, count, seconds }) {
    const sockets = await openSockets(world, proving.isQuick ? 50 : 500);
    const body = lineBody([{ type: 'message', id: 'slow', user: 'slow', at: Date.now() }]);
    const head = requestHead('POST', `/webhooks/${world.botId}/line`, {
      ...lineSignature(body, lineSecret),
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    });
    for (const socket of sockets) socket.write(head);
    const endsAt = performance.now() + seconds * 1_000;
    for (let at = 0; performance.now() < endsAt && at < body.length / 2; at++) {
      for (const socket of sockets) if (!socket.destroyed) socket.write(body[at] ?? '');
      await pause(200);
    }
    await load.goesOn(10);
    for (const socket of sockets) socket.destroy();
    count('connections', sockets.length);
  },
};

const bigBytes = 2_900_000;
const bigAtOnce = 200;
const bigPauseMs = 1_000;
const memoryMegabytesMax = 700;

/** All at once. Each is answered 200 or 503, and repeated until it is stored. */
export const bigBodies: Fault = {
  name: 'bodies of 3 MB',
  seconds: { full: 1, quick: 1 },
  async run({ world, load, proving, count }) {
    const bodies = proving.isQuick ? 20 : bigAtOnce;
    const memory = watchMemory(world.pid('web'), memoryEveryMs);
    const random = randomOf(proving.seed, 'bodies of 3 MB');
    const post = async (index: number): Promise<void> => {
      const id = `big-${proving.seed}-${index}`;
      load.deliveries.note(`line ${id}`, false);
      const [event] = JSON.parse(lineBody([{ type: 'message', id, user: id, at: Date.now() }])).events;
      event.message.text = 'x'.repeat(bigBytes);
      const body = JSON.stringify({ destination: lineDestination, events: [event] });
      for (let pauseMs = bigPauseMs; ; pauseMs *= 2) {
        const answer = await deliver(world.address, { botId: world.botId, platform: 'line' }, body).catch(
          () => null,
        );
        await answer?.body?.cancel().catch(() => undefined);
        if (answer?.status === 200) break;
        if (answer !== null && answer.status !== 503)
          throw new Failure(`a body of 3 MB was answered ${answer.status}`);
        await pause(random.integer(pauseMs / 2, pauseMs));
      }
      load.deliveries.note(`line ${id}`, true);
      count('bodies');
    };
    await Promise.all(Array.from({ length: bodies }, (_, index) => post(index)));
    proving.measure({
      what: `largest memory of the web process during ${bodies} bodies of 3 MB`,
      value: Math.round(Math.max(...(await memory.end()))),
      unit: 'MB',
      most: memoryMegabytesMax,
    });
  },
};

/** Connections and live chat sockets that open and close as fast as they can. */
export const socketFlood: Fault = {
  name: 'socket flood',
  seconds: { full: 20, quick: 1 },
  async run({ world, load, count, seconds }) {
    const endsAt = performance.now() + seconds * 1_000;
    const url = `${world.address}/live-chat/v1/${world.widgetKey}/socket`;
    while (performance.now() < endsAt) {
      const sockets = await openSockets(world, connectAtOnce);
      const chats = sockets.map(() => openSocket(url, null));
      for (const socket of sockets) socket.destroy();
      await pause(20);
      for (const chat of chats) chat.close();
      count('connections', 2 * sockets.length);
    }
    await load.goesOn(10);
  },
};

/** Opens connections. Fewer, if this process may not open as many. */
async function openSockets(world: World, count: number): Promise<Socket[]> {
  const { hostname, port } = new URL(world.address);
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const opened = Array.from({ length: Math.min(connectAtOnce, count - sockets.length) }, () =>
      connect(Number(port), hostname).on('error', () => undefined),
    );
    await Promise.all(opened.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')])));
    const open = opened.filter((socket) => !socket.destroyed);
    sockets.push(...open);
    if (open.length === 0) break;
  }
  return sockets;
}
