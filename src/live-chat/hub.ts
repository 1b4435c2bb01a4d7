/**
 * The hub: sends the news of chats to the subscribed sockets of this process.
 *
 *     signal, hello, or reconnected listener → the chat is stale → read its messages after the cursors → send
 *
 * A visitor's subscription has a cursor: the number of the last message sent. Everything after the cursor is read from the table and
 * sent in order. Lost or repeated signals therefore neither skip nor repeat a message. A subscription of the business covers all
 * chats of a bot, has no cursor, and gets the messages that signals name. If signals may be lost, its socket is closed; the client
 * reconnects and reads everything again.
 */

import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Sql } from '../database/client.ts';
import { logFailure } from '../database/outage.ts';
import { type Connection, closeCodes, type Frame } from './connections.ts';
import { type Reading, readNewMessages, readVisitorStates, type StaleChat } from './hub-reads.ts';
import type { ChatMessage } from './message.ts';
import type { Presence } from './presence.ts';
import { type ChatKey, keyOf, type Signal } from './signals.ts';

/** A visitor's socket. */
export type VisitorSubscription = ChatKey & {
  connection: Connection;
  /** The number of the last message sent. */
  cursor: number;
  /** The last number sent as seen by the business. */
  seen: number;
  blocked: boolean;
};
/** A socket of the business. */
export type AgentSubscription = { subscriptionId: string; botId: string; connection: Connection };

const pageMessages = 50;
const chatsAtOnceMax = 100;
const socketsPerVisitorMax = 10;
const retryMsMax = 2_000;

export class Hub {
  readonly #sql: Sql;
  readonly #presence: Presence;
  readonly #log: Pick<Logger, 'error'>;
  readonly #visitors = new Map<string, Set<VisitorSubscription>>();
  readonly #agents = new Map<string, Set<AgentSubscription>>();
  readonly #stale = new Map<string, StaleChat>();
  #reading: Promise<void> | null = null;
  #isStopped = false;

  constructor(sql: Sql, { presence, log }: { presence: Presence; log: Pick<Logger, 'error'> }) {
    this.#sql = sql;
    this.#presence = presence;
    this.#log = log;
  }

  /** Subscribes a visitor and sends everything after the cursor. False: the visitor has too many sockets. */
  addVisitor(subscription: VisitorSubscription): boolean {
    const key = keyOf(subscription);
    const subscriptions = this.#visitors.get(key) ?? new Set();
    if (subscriptions.size >= socketsPerVisitorMax) return false;
    subscriptions.add(subscription);
    this.#visitors.set(key, subscriptions);
    if (subscriptions.size === 1) this.#presence.set(chatOf(subscription), true);
    this.#markStale(subscription, { isWhole: true });
    return true;
  }

  removeVisitor(subscription: VisitorSubscription): void {
    const key = keyOf(subscription);
    const subscriptions = this.#visitors.get(key);
    if (!subscriptions?.delete(subscription) || subscriptions.size > 0) return;
    this.#visitors.delete(key);
    this.#presence.set(chatOf(subscription), false);
  }

  addAgent(subscription: AgentSubscription): void {
    const subscriptions = this.#agents.get(subscription.botId) ?? new Set();
    this.#agents.set(subscription.botId, subscriptions.add(subscription));
  }

  removeAgent(subscription: AgentSubscription): void {
    const subscriptions = this.#agents.get(subscription.botId);
    if (subscriptions?.delete(subscription) && subscriptions.size === 0)
      this.#agents.delete(subscription.botId);
  }

  /** Handles signals of the listener. */
  onSignals(signals: readonly Signal[]): void {
    for (const signal of signals) this.#onSignal(signal);
  }

  /** Signals may be lost: sends visitors what they miss, and makes the business's sockets reconnect. */
  catchUp(): void {
    for (const subscriptions of this.#visitors.values()) {
      for (const subscription of subscriptions) this.#markStale(subscription, { isWhole: true });
    }
    for (const subscriptions of this.#agents.values()) {
      for (const { connection } of subscriptions)
        connection.close(closeCodes.stopping, 'reconnect and read everything again');
    }
  }

  /** Stops after the running read. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    while (this.#reading) await this.#reading;
  }

  #onSignal(signal: Signal): void {
    const { botId, visitorId } = signal;
    switch (signal.type) {
      case 'message':
        if (this.#isWatched(signal)) this.#markStale(signal, { sequence: signal.sequence });
        return;
      case 'typing': {
        const { from, on, agentName, source } = signal;
        if (from === 'agent') this.#sendToVisitor(signal, { type: 'typing', on, agentName });
        const frame = { type: 'typing', visitorId, from, on, ...(from === 'agent' ? { agentName } : {}) };
        this.#sendToAgents(botId, frame, { except: source });
        return;
      }
      case 'seen': {
        const { by, sequence } = signal;
        for (const subscription of this.#visitors.get(keyOf(signal)) ?? [])
          if (by === 'business') sendSeen(subscription, sequence);
        this.#sendToAgents(botId, { type: 'seen', visitorId, by, sequence });
        return;
      }
      case 'online':
        this.#sendToAgents(botId, { type: 'online', visitorId, on: signal.on });
        return;
      case 'chat':
        if (this.#visitors.has(keyOf(signal))) this.#markStale(signal, { isWhole: true });
        this.#sendToAgents(botId, { type: 'chat', visitorId });
        return;
      case 'gone':
        for (const { connection } of this.#visitors.get(keyOf(signal)) ?? []) {
          connection.close(closeCodes.tokenInvalid, 'the visitor was deleted');
        }
        this.#sendToAgents(botId, { type: 'chat', visitorId });
    }
  }

  #isWatched(chat: ChatKey): boolean {
    return this.#visitors.has(keyOf(chat)) || this.#agents.has(chat.botId);
  }

  #sendToVisitor(chat: ChatKey, frame: Frame): void {
    for (const { connection } of this.#visitors.get(keyOf(chat)) ?? []) connection.send(frame);
  }

  #sendToAgents(botId: string, frame: Frame, { except }: { except?: string } = {}): void {
    const subscriptions = this.#agents.get(botId);
    if (!subscriptions) return;
    const text = JSON.stringify(frame);
    for (const { subscriptionId, connection } of subscriptions)
      if (subscriptionId !== except) connection.sendText(text);
  }

  #markStale(chat: ChatKey, { sequence, isWhole = false }: { sequence?: number; isWhole?: boolean }): void {
    const key = keyOf(chat);
    const stale = this.#stale.get(key) ?? { ...chatOf(chat), sequences: new Set<number>(), isWhole: false };
    if (sequence !== undefined) stale.sequences.add(sequence);
    stale.isWhole ||= isWhole;
    this.#stale.set(key, stale);
    this.#reading ??= this.#read();
  }

  /** Reads until no chat is stale. One read at a time keeps the messages in order. */
  async #read(): Promise<void> {
    // The signals of one turn of the event loop share a read.
    await pause(0);
    for (let failures = 0; this.#stale.size > 0 && !this.#isStopped; ) {
      const stale = [...this.#stale].slice(0, chatsAtOnceMax);
      for (const [key] of stale) this.#stale.delete(key);
      try {
        await this.#readPage(stale.flatMap(([, chat]) => this.#toReading(chat) ?? []));
        failures = 0;
      } catch (error) {
        failures += 1;
        if (failures === 1) logFailure(this.#log, error, 'messages of live chat could not be read, retrying');
        for (const [, { sequences, isWhole, ...chat }] of stale) {
          this.#markStale(chat, { isWhole });
          for (const sequence of sequences) this.#markStale(chat, { sequence });
        }
        await pause(Math.min(retryMsMax, 100 * 2 ** failures));
      }
    }
    this.#reading = null;
  }

  /** Null: no socket of this process needs the chat. */
  #toReading(stale: StaleChat): Reading | null {
    const cursors = [...(this.#visitors.get(keyOf(stale)) ?? [])]
      .filter(({ connection }) => connection.drained === null)
      .map(({ cursor }) => cursor);
    const signalled = this.#agents.has(stale.botId)
      ? [...stale.sequences].map((sequence) => sequence - 1)
      : [];
    if (cursors.length + signalled.length === 0) return null;
    return { ...stale, after: Math.min(...cursors, ...signalled) };
  }

  async #readPage(readings: readonly Reading[]): Promise<void> {
    if (readings.length === 0) return;
    const whole = readings.filter(({ isWhole }) => isWhole);
    const [rows, visitors] = await Promise.all([
      readNewMessages(this.#sql, readings, { limit: pageMessages }),
      whole.length > 0 ? readVisitorStates(this.#sql, whole) : [],
    ]);
    for (const { seen, blocked, ...chat } of visitors) {
      for (const subscription of this.#visitors.get(keyOf(chat)) ?? []) {
        subscription.blocked = blocked;
        sendSeen(subscription, seen);
      }
    }
    const pages = Map.groupBy(rows, keyOf);
    for (const reading of readings) {
      const page = (pages.get(keyOf(reading)) ?? []).map(({ message }) => message);
      this.#sendPage(reading, page);
    }
  }

  #sendPage(reading: Reading, page: readonly ChatMessage[]): void {
    const { visitorId, sequences } = reading;
    const isFull = page.length === pageMessages;
    const last = page.at(-1)?.sequence ?? 0;
    const texts = new Map<number, string>();
    const textOf = (message: ChatMessage) => {
      const text = texts.get(message.sequence) ?? JSON.stringify({ type: 'message', message });
      texts.set(message.sequence, text);
      return text;
    };
    for (const subscription of this.#visitors.get(keyOf(reading)) ?? []) {
      // A socket that subscribed or drained during the read continues from its own cursor with the next read.
      if (subscription.connection.drained !== null || subscription.cursor < reading.after) continue;
      for (const message of page.filter(({ sequence }) => sequence > subscription.cursor)) {
        subscription.connection.sendText(textOf(message));
        subscription.cursor = message.sequence;
      }
      const readMore = () => this.#markStale(subscription, {});
      if (subscription.connection.isCongested) subscription.connection.drained = readMore;
      else if (isFull && subscription.cursor === last) readMore();
    }
    for (const message of page) {
      if (sequences.has(message.sequence))
        this.#sendToAgents(reading.botId, { type: 'message', visitorId, message });
    }
    // Numbers after a full page.
    if (isFull) for (const sequence of sequences) if (sequence > last) this.#markStale(reading, { sequence });
  }
}

function sendSeen(subscription: VisitorSubscription, sequence: number): void {
  if (sequence <= subscription.seen) return;
  subscription.seen = sequence;
  subscription.connection.send({ type: 'seen', sequence });
}

function chatOf({ botId, visitorId }: ChatKey): ChatKey {
  return { botId, visitorId };
}
