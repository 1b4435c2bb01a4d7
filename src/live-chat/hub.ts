/**
 * The hub: hands on what is new in a chat to the sockets of this process that it concerns.
 *
 *     signal, hello, or the listener is back → the visitor is stale → read what lies behind its sockets → send
 *
 * A visitor's socket has a cursor, the number up to which it has been told. Whatever the reason, everything behind the cursor is
 * read from the table and sent in order: so nothing is left out and nothing told twice, however signals are lost or repeated.
 * A socket of the business hears of all visitors, keeps no cursor and is told what signals name; when signals may have been lost
 * it is closed, comes again, and its page reads everything anew.
 */

import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Sql } from '../database/client.ts';
import { numberList, textList } from '../database/lists.ts';
import { logFailure } from '../database/outage.ts';
import { type Connection, closeCodes, type Frame } from './connections.ts';
import { type ChatMessage, type MessageRow, messageColumns, toMessage } from './message.ts';
import type { Online } from './online.ts';
import type { Signal } from './signals.ts';

type Place = { botId: string; visitorId: string };
/** A visitor's socket. */
export type VisitorSeat = Place & {
  connection: Connection;
  /** Everything up to this number has been sent. */
  cursor: number;
  /** Up to which the business has seen, as was sent last. */
  seen: number;
  blocked: boolean;
};
/** A socket of the business. */
export type AgentSeat = { seatId: string; botId: string; connection: Connection };

/** What is to be read of a visitor: the numbers that signals named, and whether more than messages may be new. */
type Stale = Place & { named: Set<number>; isWhole: boolean };
type Reading = Stale & { after: number };

const pageMessages = 50;
const visitorsAtOnceMax = 100;
const socketsEachMax = 10;
const retryMsMax = 2_000;

export class Hub {
  readonly #sql: Sql;
  readonly #online: Online;
  readonly #log: Pick<Logger, 'error'>;
  readonly #visitors = new Map<string, Set<VisitorSeat>>();
  readonly #agents = new Map<string, Set<AgentSeat>>();
  readonly #stale = new Map<string, Stale>();
  #reading: Promise<void> | null = null;
  #isStopped = false;

  constructor(sql: Sql, { online, log }: { online: Online; log: Pick<Logger, 'error'> }) {
    this.#sql = sql;
    this.#online = online;
    this.#log = log;
  }

  /** Seats a visitor, who is then told everything behind the cursor. False: too many sockets of that visitor are open. */
  addVisitor(seat: VisitorSeat): boolean {
    const key = keyOf(seat);
    const seats = this.#visitors.get(key) ?? new Set();
    if (seats.size >= socketsEachMax) return false;
    seats.add(seat);
    this.#visitors.set(key, seats);
    if (seats.size === 1) this.#online.set(placeOf(seat), true);
    this.#touch(seat, { isWhole: true });
    return true;
  }

  removeVisitor(seat: VisitorSeat): void {
    const key = keyOf(seat);
    const seats = this.#visitors.get(key);
    if (!seats?.delete(seat) || seats.size > 0) return;
    this.#visitors.delete(key);
    this.#online.set(placeOf(seat), false);
  }

  addAgent(seat: AgentSeat): void {
    const seats = this.#agents.get(seat.botId) ?? new Set();
    this.#agents.set(seat.botId, seats.add(seat));
  }

  removeAgent(seat: AgentSeat): void {
    const seats = this.#agents.get(seat.botId);
    if (seats?.delete(seat) && seats.size === 0) this.#agents.delete(seat.botId);
  }

  /** What the listener has heard. */
  heard(signals: readonly Signal[]): void {
    for (const signal of signals) this.#hear(signal);
  }

  /** Signals may have been lost: every visitor is told what is missing, and the business's sockets begin anew. */
  catchUp(): void {
    for (const seats of this.#visitors.values()) {
      for (const seat of seats) this.#touch(seat, { isWhole: true });
    }
    for (const seats of this.#agents.values()) {
      for (const { connection } of seats) connection.close(closeCodes.stopping, 'read everything anew');
    }
  }

  /** Ends after the reading under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    while (this.#reading) await this.#reading;
  }

  #hear(signal: Signal): void {
    const { botId, visitorId } = signal;
    switch (signal.type) {
      case 'message':
        if (this.#concerns(signal)) this.#touch(signal, { named: signal.sequence });
        return;
      case 'typing': {
        const { from, on, agentName, source } = signal;
        if (from === 'agent') this.#tellVisitor(signal, { type: 'typing', on, agentName });
        const told = { type: 'typing', visitorId, from, on, ...(from === 'agent' ? { agentName } : {}) };
        this.#tellAgents(botId, told, { except: source });
        return;
      }
      case 'seen': {
        const { by, sequence } = signal;
        for (const seat of this.#visitors.get(keyOf(signal)) ?? [])
          if (by === 'business') sendSeen(seat, sequence);
        this.#tellAgents(botId, { type: 'seen', visitorId, by, sequence });
        return;
      }
      case 'online':
        this.#tellAgents(botId, { type: 'online', visitorId, on: signal.on });
        return;
      case 'chat':
        if (this.#visitors.has(keyOf(signal))) this.#touch(signal, { isWhole: true });
        this.#tellAgents(botId, { type: 'chat', visitorId });
        return;
      case 'gone':
        for (const { connection } of this.#visitors.get(keyOf(signal)) ?? []) {
          connection.close(closeCodes.tokenInvalid, 'the visitor is not known any more');
        }
        this.#tellAgents(botId, { type: 'chat', visitorId });
    }
  }

  #concerns(place: Place): boolean {
    return this.#visitors.has(keyOf(place)) || this.#agents.has(place.botId);
  }

  #tellVisitor(place: Place, frame: Frame): void {
    for (const { connection } of this.#visitors.get(keyOf(place)) ?? []) connection.send(frame);
  }

  #tellAgents(botId: string, frame: Frame, { except }: { except?: string } = {}): void {
    const seats = this.#agents.get(botId);
    if (!seats) return;
    const text = JSON.stringify(frame);
    for (const { seatId, connection } of seats) if (seatId !== except) connection.sendText(text);
  }

  #touch(place: Place, { named, isWhole = false }: { named?: number; isWhole?: boolean }): void {
    const key = keyOf(place);
    const stale = this.#stale.get(key) ?? { ...placeOf(place), named: new Set<number>(), isWhole: false };
    if (named !== undefined) stale.named.add(named);
    stale.isWhole ||= isWhole;
    this.#stale.set(key, stale);
    this.#reading ??= this.#read();
  }

  /** Reads until nothing is stale. One reading at a time, so that what is sent stays in order. */
  async #read(): Promise<void> {
    // What is heard in one turn of the loop is read together.
    await pause(0);
    for (let failures = 0; this.#stale.size > 0 && !this.#isStopped; ) {
      const stale = [...this.#stale].slice(0, visitorsAtOnceMax);
      for (const [key] of stale) this.#stale.delete(key);
      try {
        await this.#readPage(stale.flatMap(([, one]) => this.#toReading(one) ?? []));
        failures = 0;
      } catch (error) {
        failures += 1;
        if (failures === 1) logFailure(this.#log, error, 'news of live chat could not be read; trying again');
        for (const [, { named, isWhole, ...place }] of stale) {
          this.#touch(place, { isWhole });
          for (const sequence of named) this.#touch(place, { named: sequence });
        }
        await pause(Math.min(retryMsMax, 100 * 2 ** failures));
      }
    }
    this.#reading = null;
  }

  /** Null: nobody here has to be told of it any more. */
  #toReading(stale: Stale): Reading | null {
    const cursors = [...(this.#visitors.get(keyOf(stale)) ?? [])]
      .filter(({ connection }) => connection.drained === null)
      .map(({ cursor }) => cursor);
    const named = this.#agents.has(stale.botId) ? [...stale.named].map((sequence) => sequence - 1) : [];
    if (cursors.length + named.length === 0) return null;
    return { ...stale, after: Math.min(...cursors, ...named) };
  }

  async #readPage(readings: readonly Reading[]): Promise<void> {
    if (readings.length === 0) return;
    const whole = readings.filter(({ isWhole }) => isWhole);
    const [rows, visitors] = await Promise.all([
      this.#readMessages(readings),
      whole.length > 0 ? this.#readVisitors(whole) : [],
    ]);
    for (const { seen, blocked, ...place } of visitors) {
      for (const seat of this.#visitors.get(keyOf(place)) ?? []) {
        seat.blocked = blocked;
        sendSeen(seat, seen);
      }
    }
    const pages = Map.groupBy(rows, keyOf);
    for (const reading of readings) this.#tellPage(reading, (pages.get(keyOf(reading)) ?? []).map(toMessage));
  }

  #readMessages(readings: readonly Reading[]): Promise<(MessageRow & Place)[]> {
    return this.#sql<(MessageRow & Place)[]>`
      select asked.bot_id as "botId", asked.visitor_id as "visitorId", page.*
      from ${this.#asked(readings)}
      cross join lateral (
        select ${messageColumns(this.#sql)} from chat_messages
        where chat_messages.bot_id = asked.bot_id and chat_messages.visitor_id = asked.visitor_id
          and sequence > asked.after
        order by sequence limit ${pageMessages}
      ) page
      order by asked.bot_id, asked.visitor_id, page.sequence`;
  }

  #readVisitors(readings: readonly Reading[]): Promise<(Place & { seen: number; blocked: boolean })[]> {
    return this.#sql<(Place & { seen: number; blocked: boolean })[]>`
      select asked.bot_id as "botId", asked.visitor_id as "visitorId", seen, blocked
      from ${this.#asked(readings)}
      cross join lateral (
        select seen_by_business as seen, coalesce((
          select blocked from contacts
          where contacts.bot_id = asked.bot_id and platform = 'liveChat' and platform_contact_id = asked.visitor_id
          limit 1), false) as blocked
        from chat_visitors
        where chat_visitors.bot_id = asked.bot_id and chat_visitors.visitor_id = asked.visitor_id limit 1
      ) visitor`;
  }

  #asked(readings: readonly Reading[]) {
    return this.#sql`unnest(${textList(readings.map(({ botId }) => botId))}::text[],
      ${textList(readings.map(({ visitorId }) => visitorId))}::text[],
      ${numberList(readings.map(({ after }) => after))}::bigint[]) as asked (bot_id, visitor_id, after)`;
  }

  #tellPage(reading: Reading, page: readonly ChatMessage[]): void {
    const { visitorId, named } = reading;
    const isFull = page.length === pageMessages;
    const last = page.at(-1)?.sequence ?? 0;
    const texts = new Map<number, string>();
    const textOf = (message: ChatMessage) => {
      const text = texts.get(message.sequence) ?? JSON.stringify({ type: 'message', message });
      texts.set(message.sequence, text);
      return text;
    };
    for (const seat of this.#visitors.get(keyOf(reading)) ?? []) {
      // Who came, or could take more, while this was read is told from its own cursor by the next reading.
      if (seat.connection.drained !== null || seat.cursor < reading.after) continue;
      for (const message of page.filter(({ sequence }) => sequence > seat.cursor)) {
        seat.connection.sendText(textOf(message));
        seat.cursor = message.sequence;
      }
      const goOn = () => this.#touch(seat, {});
      if (seat.connection.isCongested) seat.connection.drained = goOn;
      else if (isFull && seat.cursor === last) goOn();
    }
    for (const message of page) {
      if (named.has(message.sequence))
        this.#tellAgents(reading.botId, { type: 'message', visitorId, message });
    }
    // Numbers beyond a full page.
    if (isFull) for (const sequence of named) if (sequence > last) this.#touch(reading, { named: sequence });
  }
}

function sendSeen(seat: VisitorSeat, sequence: number): void {
  if (sequence <= seat.seen) return;
  seat.seen = sequence;
  seat.connection.send({ type: 'seen', sequence });
}

function placeOf({ botId, visitorId }: Place): Place {
  return { botId, visitorId };
}

function keyOf({ botId, visitorId }: Place): string {
  return `${botId} ${visitorId}`;
}
