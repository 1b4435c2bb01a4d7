/**
 * Presence: visitors with an open socket in any process. Each process has a row for each of its visitors and renews it. The rows of
 * a killed process expire.
 *
 * Sockets open and close with every page view, so changes are written once a second.
 */

import type { Logger } from 'pino';
import type { Sql } from '../database/client.ts';
import { logFailure } from '../database/outage.ts';
import { Poll } from '../database/poll.ts';
import { rowTable } from '../database/row-table.ts';
import { once } from '../once.ts';
import { type Clock, minuteMs, secondMs } from '../time.ts';
import { type ChatKey, chatColumns, keyOf, type Signal } from './signals.ts';

type PresenceOptions = {
  processId: string;
  clock: Clock;
  log: Pick<Logger, 'error'>;
  send(signals: Signal[]): void;
};

const onlineName = 'the update of online visitors';
const flushMs = secondMs;
const renewMs = minuteMs;
const leaseMs = 2.5 * minuteMs;

export class Presence {
  readonly #sql: Sql;
  readonly #options: PresenceOptions;
  /** Visitors with a socket in this process, and visitors with a row. */
  readonly #connected = new Map<string, ChatKey>();
  readonly #stored = new Map<string, ChatKey>();
  readonly #changed = new Set<string>();
  #renewedAt: number;
  readonly #poll: Poll;

  constructor(sql: Sql, options: PresenceOptions) {
    this.#sql = sql;
    this.#options = options;
    this.#renewedAt = options.clock();
    this.#poll = new Poll(() => this.#flush(), { name: onlineName, pauseMs: flushMs, log: options.log });
  }

  /** Notes whether the visitor has sockets in this process. */
  set(chat: ChatKey, isConnected: boolean): void {
    const key = keyOf(chat);
    if (isConnected) this.#connected.set(key, chat);
    else this.#connected.delete(key);
    this.#changed.add(key);
  }

  /** Stops and deletes its rows. Safe to call twice. */
  readonly stop = once(async () => {
    await this.#poll.stop();
    this.#connected.clear();
    for (const key of this.#stored.keys()) this.#changed.add(key);
    await this.#flush().catch((error: unknown) =>
      logFailure(this.#options.log, error, `${onlineName} failed`),
    );
  });

  async #flush(): Promise<void> {
    const now = this.#options.clock();
    const changed = [...this.#changed];
    this.#changed.clear();
    const opened = changed.flatMap((key) => (this.#stored.has(key) ? [] : (this.#connected.get(key) ?? [])));
    const closed = changed.flatMap((key) => (this.#connected.has(key) ? [] : (this.#stored.get(key) ?? [])));
    try {
      if (opened.length > 0) await this.#store(opened, now);
      if (closed.length > 0) await this.#delete(closed, now);
      if (now - this.#renewedAt >= renewMs) await this.#renew(now);
    } catch (error) {
      for (const key of changed) this.#changed.add(key);
      throw error;
    }
  }

  async #store(chats: readonly ChatKey[], now: number): Promise<void> {
    await this.#sql`
      insert into chat_online (bot_id, visitor_id, process_id, online_until)
      select bot_id, visitor_id, ${this.#options.processId}, ${new Date(now + leaseMs)} from ${this.#table(chats)}
      on conflict (bot_id, visitor_id, process_id) do update set online_until = excluded.online_until`;
    for (const chat of chats) this.#stored.set(keyOf(chat), chat);
    this.#options.send(chats.map((chat) => ({ ...chat, type: 'online', on: true })));
  }

  async #delete(chats: readonly ChatKey[], now: number): Promise<void> {
    const { processId, send } = this.#options;
    const offline = await this.#sql<ChatKey[]>`
      with dropped as (
        delete from chat_online using ${this.#table(chats)}
        where chat_online.bot_id = wanted.bot_id and chat_online.visitor_id = wanted.visitor_id and process_id = ${processId}
        returning chat_online.bot_id, chat_online.visitor_id
      )
      select bot_id as "botId", visitor_id as "visitorId" from dropped
      where not exists (
        select from chat_online others
        where others.bot_id = dropped.bot_id and others.visitor_id = dropped.visitor_id
          and others.process_id <> ${processId} and others.online_until > ${new Date(now)})`;
    for (const chat of chats) this.#stored.delete(keyOf(chat));
    send(offline.map((chat) => ({ ...chat, type: 'online', on: false })));
  }

  async #renew(now: number): Promise<void> {
    this.#renewedAt = now;
    const chats = [...this.#stored.values()];
    await this.#sql`
      update chat_online set online_until = ${new Date(now + leaseMs)} from ${this.#table(chats)}
      where chat_online.bot_id = wanted.bot_id and chat_online.visitor_id = wanted.visitor_id
        and process_id = ${this.#options.processId}`;
    await this.#sql`delete from chat_online where online_until < ${new Date(now - leaseMs)}`;
  }

  #table(chats: readonly ChatKey[]) {
    return rowTable(this.#sql, 'wanted', chats, chatColumns);
  }
}
