/**
 * A pool that outlives its connections.
 *
 * postgres.js 3.4.9 does not bear the loss of a connection that is in use: a statement cut off before it was sent leaves the
 * connection unable to connect again, a statement issued just after the loss is never answered, and a transaction goes on
 * over a connection that is gone, which ends the process, or, worse, over the one that replaced it, outside of any
 * transaction. So a client that lost a connection is never used again here:
 *
 *     statements     one client with `max` connections; after a loss a new one takes its place, and the old one is left to
 *                    finish what it had, for a while
 *     transactions   a client of its own with one connection for each, kept for the next; after a loss the transaction fails
 *                    at once and nothing more of it is sent
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  type Address,
  type ClientOptions,
  connectionClosed,
  openClient,
  type Sql,
  type Transaction,
} from './client.ts';
import { withWholeRows } from './whole-rows.ts';

type Open = (max: number, lost: () => void) => Sql;
type Work = (transaction: Transaction) => unknown;

/** Bounds how many clients are made while the server comes and goes. */
const renewPauseMs = 100;
const finishMsMax = 10_000;
/** What an old client has not finished by then when the pool ends, it never will: its statements were cut off. */
const oldSecondsMax = 0.5;
const endSecondsMax = 10;

/**
 * Opens a pool on a `postgres://` URL or an address: at most `max` connections for statements and as many for transactions,
 * made when they are needed. int8 columns come as numbers; one beyond 2^53 − 1 throws. The session has `sessionSettings`.
 */
export function connect(server: string | Address, { max, ...options }: ClientOptions): Sql {
  return lastingPool((size, lost) => openClient(server, { ...options, max: size, lost }), max);
}

/**
 * A pool of clients made by `open`: at most `max` connections for statements and `max` for transactions. Its `end` waits for
 * what is under way, at most `timeout` seconds, 10 if none are given.
 */
export function lastingPool(open: Open, max: number): Sql {
  const statements = new Statements(open, max);
  const transactions = new Transactions(open, max);
  const own: Partial<Record<string | symbol, unknown>> = {
    begin: (...given: [Work] | [string, Work]) =>
      given.length === 1 ? transactions.begin('', given[0]) : transactions.begin(...given),
    // Without a bound postgres.js would wait for ever for a statement whose connection is lost meanwhile.
    end: async ({ timeout = endSecondsMax }: { timeout?: number } = {}) => {
      await Promise.all([transactions.end({ timeout }), statements.end({ timeout })]);
    },
  };
  return new Proxy(statements.client, {
    apply: (_target, _this, given) => withWholeRows(Reflect.apply(statements.client, undefined, given)),
    get: (_target, name) => own[name] ?? Reflect.get(statements.client, name),
  });
}

type EndOptions = { timeout: number };

class Statements {
  readonly #open: Open;
  readonly #max: number;
  readonly #old = new Set<Sql>();
  #madeAt = 0;
  #renewal: NodeJS.Timeout | undefined;
  #ended = false;
  client: Sql;

  constructor(open: Open, max: number) {
    this.#open = open;
    this.#max = max;
    this.client = this.#make();
  }

  async end(options: EndOptions): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#renewal);
    const old = [...this.#old].map((client) => client.end({ timeout: oldSecondsMax }));
    await Promise.all([this.client.end(options), ...old]);
  }

  #make(): Sql {
    this.#madeAt = performance.now();
    const client: Sql = this.#open(this.#max, () => {
      if (client === this.client) this.#renew();
    });
    return client;
  }

  #renew(): void {
    if (this.#ended || this.#renewal) return;
    const pauseMs = this.#madeAt + renewPauseMs - performance.now();
    if (pauseMs > 0) {
      this.#renewal = setTimeout(() => {
        this.#renewal = undefined;
        this.#renew();
      }, pauseMs);
      return;
    }
    const old = this.client;
    this.#old.add(old);
    setTimeout(() => {
      this.#old.delete(old);
      void old.end({ timeout: 0 });
    }, finishMsMax).unref();
    this.client = this.#make();
  }
}

class Transactions {
  readonly #open: Open;
  readonly #max: number;
  readonly #clients = new Set<TransactionClient>();
  readonly #idle: TransactionClient[] = [];
  readonly #waiting: (() => void)[] = [];
  #ended = false;

  constructor(open: Open, max: number) {
    this.#open = open;
    this.#max = max;
  }

  async begin(options: string, work: Work): Promise<unknown> {
    const client = await this.#take();
    try {
      return await client.begin(options, work);
    } finally {
      await this.#give(client);
    }
  }

  async end(options: EndOptions): Promise<void> {
    this.#ended = true;
    await Promise.all([...this.#clients].map(({ sql }) => sql.end(options)));
  }

  async #take(): Promise<TransactionClient> {
    while (!this.#ended) {
      const client = this.#idle.pop() ?? (this.#clients.size < this.#max ? this.#make() : undefined);
      if (client) return client;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    throw connectionClosed();
  }

  #make(): TransactionClient {
    const client = new TransactionClient(this.#open, () => this.#drop(client));
    this.#clients.add(client);
    return client;
  }

  async #give(client: TransactionClient): Promise<void> {
    if (!client.connected) {
      // Who tries again at once waits here, and does not hammer a server that is away.
      await pause(renewPauseMs);
      this.#drop(client);
    }
    if (this.#clients.has(client)) this.#idle.push(client);
    this.#waiting.shift()?.();
  }

  #drop(client: TransactionClient): void {
    if (!this.#clients.delete(client)) return;
    const place = this.#idle.indexOf(client);
    if (place >= 0) this.#idle.splice(place, 1);
    void client.sql.end({ timeout: 0 });
  }
}

class TransactionClient {
  readonly sql: Sql;
  /** True once a transaction has begun. */
  connected = false;
  #lost = false;

  constructor(open: Open, lost: () => void) {
    this.sql = open(1, () => {
      this.#lost = true;
      lost();
    });
  }

  begin(options: string, work: Work): Promise<unknown> {
    return this.sql.begin(options, this.#guarded(work));
  }

  // When the connection is lost, postgres.js fails the whole transaction by itself. What the work ends with is then kept
  // from it, since it would answer with a rollback or commit.
  #guarded(work: Work): Work {
    return (transaction) =>
      new Promise((resolve, reject) => {
        this.connected = true;
        const ends = (end: (value: unknown) => void) => (value: unknown) => {
          if (!this.#lost) end(value);
        };
        Promise.try(() => allOf(work(this.#guard(transaction)))).then(ends(resolve), ends(reject));
      });
  }

  #guard(transaction: Transaction): Transaction {
    return new Proxy(transaction, {
      apply: (target, _this, given) => {
        if (this.#lost) throw connectionClosed();
        return Reflect.apply(target, undefined, given);
      },
      get: (target, name) => {
        if (this.#lost) throw connectionClosed();
        return name === 'savepoint' ? this.#savepoint(target) : Reflect.get(target, name);
      },
    });
  }

  #savepoint(transaction: Transaction): (...given: [Work] | [string, Work]) => Promise<unknown> {
    return (...given) =>
      given.length === 1
        ? transaction.savepoint(this.#guarded(given[0]))
        : transaction.savepoint(given[0], this.#guarded(given[1]));
  }
}

// As postgres.js has it: a list of queries is run by waiting for all of them.
async function allOf(result: unknown): Promise<unknown> {
  return Array.isArray(result) ? Promise.all(result) : result;
}
