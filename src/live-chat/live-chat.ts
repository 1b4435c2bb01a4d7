/**
 * The live chat of a server process: starts and stops posting, sockets, signals and presence.
 *
 *     widget → posting → inbox + chat_messages, one commit → NOTIFY → listener of each process → hub → sockets
 */
import type { pino } from 'pino';
import type { Config } from '../config.ts';
import type { Sql } from '../database/client.ts';
import { newId, type Random } from '../random.ts';
import type { Clock } from '../time.ts';
import { Connections } from './connections.ts';
import { Hub } from './hub.ts';
import { Listener } from './listener.ts';
import { Posting } from './posting.ts';
import { Presence } from './presence.ts';
import { SignalQueue } from './signal-queue.ts';
import type { ByteLimits } from './usage.ts';

export type LiveChat = {
  posting: Posting;
  connections: Connections;
  hub: Hub;
  signals: SignalQueue;
  /** Bytes that may be stored a day. */
  byteLimits: ByteLimits;
};

/** Of all connections of the process; the rest is for calls and webhooks. */
const socketsShare = 0.8;

export type LiveChatOptions = {
  config: Pick<Config, 'connectionsMax' | 'chatVisitorBytes' | 'chatAddressBytes' | 'chatBotBytes'>;
  sql: Sql;
  /** The pool in which messages are committed. */
  postSql: Sql;
  /** Opens a client for LISTEN; calls `lost` at the first sign that its connection ends. */
  openListener(lost: () => void): Sql;
  clock: Clock;
  random: Random;
  log: pino.Logger;
  /** Called after each commit that held messages of the bot. */
  stored(botId: string): void;
};

/** Starts live chat. `close` closes the sockets (1012), and waits for running work. */
export async function startLiveChat(
  options: LiveChatOptions,
): Promise<LiveChat & { close(): Promise<void> }> {
  const { config, sql, postSql, clock, random, log, stored, openListener: open } = options;
  const processId = newId(random);
  const byteLimits = {
    visitor: config.chatVisitorBytes,
    address: config.chatAddressBytes,
    bot: config.chatBotBytes,
  };
  const posting = new Posting(postSql, { clock, log, stored, byteLimits });
  const openMax = Math.floor(config.connectionsMax * socketsShare);
  const connections = new Connections({ clock, log, openMax });
  const signals = new SignalQueue(sql, log);
  const presence = new Presence(sql, { processId, clock, log, send: (news) => signals.send(...news) });
  const hub = new Hub(sql, { presence, log });
  const listener = new Listener({
    ...{ open, sql, processId, log },
    onSignals: (news) => hub.onSignals(news),
    onReconnect: () => hub.catchUp(),
  });
  await listener.start();
  return {
    ...{ posting, connections, hub, signals, byteLimits },
    async close() {
      await connections.stop();
      await posting.drain();
      await hub.stop();
      await presence.stop();
      await signals.drain();
      await listener.stop();
    },
  };
}
