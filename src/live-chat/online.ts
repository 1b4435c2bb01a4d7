/**
 * Who is there: visitors with a socket open in any process. Each process keeps a row for each visitor of its own and renews it;
 * the rows of a process that was killed end by themselves.
 *
 * Sockets come and go with every page that is opened, so what has changed is looked at once a second and not with each of them.
 */

import type { Logger } from 'pino';
import type { Sql } from '../database/client.ts';
import { textList } from '../database/lists.ts';
import { logFailure } from '../database/outage.ts';
import { Poll } from '../database/poll.ts';
import { once } from '../once.ts';
import { type Clock, minuteMs, secondMs } from '../time.ts';
import type { Signal } from './signals.ts';

export type Place = { botId: string; visitorId: string };

const onlineName = 'the update of online visitors';
const lookMs = secondMs;
const renewMs = minuteMs;
const leaseMs = 2.5 * minuteMs;

export class Online {
  readonly #sql: Sql;
  readonly #options: {
    processId: string;
    clock: Clock;
    log: Pick<Logger, 'error'>;
    tell(signals: Signal[]): void;
  };
  /** Those that have a socket here now, and those that a row says so of. */
  readonly #here = new Map<string, Place>();
  readonly #kept = new Map<string, Place>();
  readonly #touched = new Set<string>();
  #renewedAt: number;
  readonly #poll: Poll;

  constructor(
    sql: Sql,
    options: { processId: string; clock: Clock; log: Pick<Logger, 'error'>; tell(signals: Signal[]): void },
  ) {
    this.#sql = sql;
    this.#options = options;
    this.#renewedAt = options.clock();
    this.#poll = new Poll(() => this.#flush(), { name: onlineName, pauseMs: lookMs, log: options.log });
  }

  /** The visitor has sockets in this process, or none any more. */
  set(place: Place, isHere: boolean): void {
    const key = `${place.botId} ${place.visitorId}`;
    if (isHere) this.#here.set(key, place);
    else this.#here.delete(key);
    this.#touched.add(key);
  }

  /** Ends, without rows left. Safe to call twice. */
  readonly stop = once(async () => {
    await this.#poll.stop();
    this.#here.clear();
    for (const key of this.#kept.keys()) this.#touched.add(key);
    await this.#flush().catch((error: unknown) =>
      logFailure(this.#options.log, error, `${onlineName} failed`),
    );
  });

  async #flush(): Promise<void> {
    const now = this.#options.clock();
    const touched = [...this.#touched];
    this.#touched.clear();
    const come = touched.flatMap((key) => (this.#kept.has(key) ? [] : (this.#here.get(key) ?? [])));
    const gone = touched.flatMap((key) => (this.#here.has(key) ? [] : (this.#kept.get(key) ?? [])));
    try {
      if (come.length > 0) await this.#keep(come, now);
      if (gone.length > 0) await this.#drop(gone, now);
      if (now - this.#renewedAt >= renewMs) await this.#renew(now);
    } catch (error) {
      for (const key of touched) this.#touched.add(key);
      throw error;
    }
  }

  async #keep(places: readonly Place[], now: number): Promise<void> {
    await this.#sql`
      insert into chat_online (bot_id, visitor_id, process_id, online_until)
      select bot_id, visitor_id, ${this.#options.processId}, ${new Date(now + leaseMs)} from ${this.#list(places)}
      on conflict (bot_id, visitor_id, process_id) do update set online_until = excluded.online_until`;
    for (const place of places) this.#kept.set(`${place.botId} ${place.visitorId}`, place);
    this.#options.tell(places.map((place) => ({ ...place, type: 'online', on: true })));
  }

  async #drop(places: readonly Place[], now: number): Promise<void> {
    const { processId, tell } = this.#options;
    const left = await this.#sql<Place[]>`
      with dropped as (
        delete from chat_online using ${this.#list(places)}
        where chat_online.bot_id = asked.bot_id and chat_online.visitor_id = asked.visitor_id and process_id = ${processId}
        returning chat_online.bot_id, chat_online.visitor_id
      )
      select bot_id as "botId", visitor_id as "visitorId" from dropped
      where not exists (
        select from chat_online others
        where others.bot_id = dropped.bot_id and others.visitor_id = dropped.visitor_id
          and others.process_id <> ${processId} and others.online_until > ${new Date(now)})`;
    for (const { botId, visitorId } of places) this.#kept.delete(`${botId} ${visitorId}`);
    tell(left.map((place) => ({ ...place, type: 'online', on: false })));
  }

  async #renew(now: number): Promise<void> {
    this.#renewedAt = now;
    const places = [...this.#kept.values()];
    await this.#sql`
      update chat_online set online_until = ${new Date(now + leaseMs)} from ${this.#list(places)}
      where chat_online.bot_id = asked.bot_id and chat_online.visitor_id = asked.visitor_id
        and process_id = ${this.#options.processId}`;
    await this.#sql`delete from chat_online where online_until < ${new Date(now - leaseMs)}`;
  }

  #list(places: readonly Place[]) {
    return this.#sql`unnest(${textList(places.map(({ botId }) => botId))}::text[],
      ${textList(places.map(({ visitorId }) => visitorId))}::text[]) as asked (bot_id, visitor_id)`;
  }
}
