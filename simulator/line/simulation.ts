/**
 * The account, its people and their time. The clock is the given one plus whatever it was run forward; up to it, everything
 * on the agenda happens, in order, and webhooks go out as it does.
 *
 * Of one seed and one order of calls there is one world: each day and each send has chance of its own, and time moves on
 * only when all webhooks of a step were answered or have failed.
 */
import { addDays, type Clock, dayMs, dayOf, lineDayStart, lineZone, secondMs } from '../../src/time.ts';
import { chanceOf, hexOf } from '../chance.ts';
import { Diary } from '../diary.ts';
import type { Happening, Person, What } from '../happening.ts';
import { Account, type Interaction, type Send } from './account.ts';
import { Agenda } from './agenda.ts';
import { dayOfPeople, reactionTo } from './behaviour.ts';
import { type Disturbance, Outbox, type Webhook } from './outbox.ts';
import { stateAt } from './people.ts';

export type SimulationOptions = {
  clock: Clock;
  seed: number;
  /** Friends by the time it starts, about; as many follow again in as many days. */
  people: number;
  /** Days the account has existed before. Nothing of them goes out as a webhook. */
  pastDays: number;
  destination: string;
  channelSecret: string;
  webhook: Webhook;
  disturbance: Disturbance;
  /** Whether people really open the URLs they click, where those lead to this machine. */
  opensLinks: boolean;
};

/** What a control call can let a person do. */
export const actions = {
  follow: { what: 'follow', form: 'new' },
  block: { what: 'unfollow', form: 'unfollow' },
  unblock: { what: 'follow', form: 'unblocked' },
  write: { what: 'message', form: 'text' },
  tap: { what: 'postback', form: 'postback' },
} as const satisfies Record<string, { what: What; form: string }>;
export type Action = keyof typeof actions;

const openMsMax = 5 * secondMs;

export class Simulation {
  readonly account: Account;
  readonly outbox: Outbox;
  readonly #options: SimulationOptions;
  readonly #agenda = new Agenda();
  readonly #beganAt: number;
  #aheadMs = 0;
  /** Up to here everything has happened. */
  #reached: number;
  #isRunning = false;
  #acts = 0;
  #opening: string[] = [];
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SimulationOptions) {
    const { seed, destination, channelSecret, webhook, disturbance, clock, pastDays } = options;
    this.#options = options;
    const now = clock();
    this.#beganAt = now;
    const firstDay = dayOf(now - pastDays * dayMs, lineZone);
    this.#reached = lineDayStart(firstDay);
    this.account = new Account(this.#reached);
    const later = (at: number, run: () => void) => this.#agenda.add(at, run);
    this.outbox = new Outbox({
      seed,
      destination,
      channelSecret,
      disturbance,
      later,
      webhook: { ...webhook, active: false },
    });
    this.#planDay(firstDay);
    // The past: before any webhook was set.
    this.#live(now - 1);
    this.outbox.webhook.active = webhook.active;
  }

  /** The simulated time, ms. */
  now(): number {
    return this.#isRunning ? this.#reached : Math.max(this.#reached, this.#options.clock() + this.#aheadMs);
  }

  /**
   * Lets everything happen up to now, and `ms` further; resolves when the webhooks are out. Those of a step go out together at
   * its end: of one instant (0), or of a longer time, which is faster and less like life. One call after the other.
   */
  run(ms = 0, stepMs = 0): Promise<void> {
    return this.inTurn(async () => {
      const target = this.now() + ms;
      this.#isRunning = true;
      try {
        for (let at = this.#agenda.nextAt; at !== null && at <= target; at = this.#agenda.nextAt) {
          this.#live(Math.min(target, at + stepMs));
          await this.#sendOut();
        }
        this.#reached = Math.max(this.#reached, target);
        await this.#sendOut();
      } finally {
        this.#isRunning = false;
        this.#aheadMs = Math.max(this.#aheadMs, target - this.#options.clock());
      }
    });
  }

  /** Lets a person do something now, and its webhook go out. A person not known yet is a new one. Gives what happened. */
  act(person: Person, action: Action, data?: string): Promise<Happening> {
    return this.inTurn(async () => {
      this.#acts += 1;
      const diary = new Diary('line', person, chanceOf(this.#options.seed, 'act', this.#acts));
      const { what, form } = actions[action];
      // Whoever asks for it may want to reply to it.
      const extra = { mode: 'active' as const, ...(data === undefined ? {} : { data }) };
      const happening = diary.add(what, form, this.now(), extra);
      this.#happen(happening);
      await this.#sendOut();
      return happening;
    });
  }

  /** Takes a send in; the people it reached will deal with it. */
  accept(send: Send): void {
    this.account.sends.push(send);
    const place = this.account.sends.length;
    for (const userId of send.recipients) {
      const one = this.account.people.get(userId);
      if (one === undefined) continue;
      const chance = chanceOf(this.#options.seed, 'send', place, userId);
      const { interactions, happenings } = reactionTo(send, one.person, chance);
      for (const interaction of interactions) this.interact(send, interaction);
      for (const happening of happenings)
        this.#agenda.add(happening.at, () => this.#happenIfPossible(happening));
    }
  }

  /** Notes what somebody does with a send, now or later. */
  interact(send: Send, interaction: Interaction): void {
    send.interactions.push(interaction);
    if (interaction.kind !== 'click' || !this.#options.opensLinks) return;
    const { url } = interaction;
    if (isOfThisMachine(url)) this.#agenda.add(interaction.at, () => this.#opening.push(url));
  }

  /** An id of the form of LINE's request ids: the same for the same matter in a world that began at the same time. */
  id(...matter: readonly (string | number)[]): string {
    const hex = hexOf(this.#options.seed, this.#beganAt, ...matter);
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
  }

  /** Runs when all that was asked for before is done. */
  inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(run);
    this.#turn = result.catch(() => null);
    return result;
  }

  #live(until: number): void {
    for (let next = this.#agenda.take(until); next; next = this.#agenda.take(until)) {
      this.#reached = Math.max(this.#reached, next.at);
      next.run();
    }
    this.#reached = Math.max(this.#reached, until);
  }

  async #sendOut(): Promise<void> {
    const urls = this.#opening.splice(0);
    await this.outbox.flush(this.now());
    for (const url of urls) await open(url);
  }

  #planDay(day: string): void {
    const { seed, people, pastDays } = this.#options;
    const newcomers = pastDays === 0 ? 0 : people / pastDays;
    const known = [...this.account.people.values()];
    const planned = dayOfPeople(known, { day, newcomers, chance: chanceOf(seed, 'day', day) });
    for (const happening of planned) this.#agenda.add(happening.at, () => this.#happenIfPossible(happening));
    const nextDay = addDays(day, 1);
    this.#agenda.add(lineDayStart(nextDay), () => this.#planDay(nextDay));
  }

  #happen(happening: Happening): void {
    this.account.happen(happening);
    this.outbox.tell(happening);
  }

  // What was planned may have become impossible meanwhile: who blocks neither writes nor blocks again.
  #happenIfPossible(happening: Happening): void {
    const { what, person, at, group } = happening;
    const known = person?.id ? this.account.people.get(person.id) : undefined;
    const state = known === undefined ? 'stranger' : stateAt(known, at);
    const isPossible =
      group !== undefined ||
      (what === 'follow'
        ? state !== 'friend'
        : what === 'unfollow'
          ? state === 'friend'
          : state !== 'blocker');
    if (isPossible) this.#happen(happening);
  }
}

function isOfThisMachine(url: string): boolean {
  return URL.canParse(url) && ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname);
}

// What the address answers is between the person and whoever counts clicks.
async function open(url: string): Promise<void> {
  const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(openMsMax) }).catch(
    () => null,
  );
  await response?.arrayBuffer();
}
