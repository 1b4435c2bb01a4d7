/**
 * A pool that survives the loss of its connections (docs/decisions/0011-postgres-js-with-a-pool-of-our-own.md).
 *
 * postgres.js 3.4.9 mishandles the loss of a connection in use. A statement that was cut off before it was sent leaves the
 * connection unable to reconnect. A statement issued just after the loss never ends. A transaction continues on the lost connection,
 * which ends the process, or on the new connection, outside of any transaction. Therefore a client that lost a connection is
 * discarded:
 *
 *     statements     one client with `max` connections; after a loss a new one replaces it, and the old one has some time to
 *                    finish its statements
 *     transactions   one client with one connection for each, reused by later ones; after a loss the transaction fails at once,
 *                    and no more of its statements are sent
 */
import { setTimeout as pause } from 'node:timers/promises';
import { aroundTransactions, type Work } from './around-transactions.ts';
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

/** Limits how many clients are created during an outage. */
const renewPauseMs = 100;
const finishMsMax = 10_000;
/** At the end of the pool, unfinished statements of an old client were cut off and never end. */
const oldSecondsMax = 0.5;
const endSecondsMax = 10;

/**
 * Opens a pool for a `postgres://` URL or an address: at most `max` connections for statements and as many for transactions, opened
 * on demand. int8 columns are numbers; one beyond 2^53 − 1 throws. The session has `sessionSettings`.
 */
export function connect(server: string | Address, { max, ...options }: ClientOptions): Sql {
  return lastingPool((size, lost) => openClient(server, { ...options, max: size, lost }), max);
}

/**
 * A pool of clients from `open`: at most `max` connections for statements and `max` for transactions. `end` waits for running
 * statements, at most `timeout` seconds (default: 10).
 */
export function lastingPool(open: Open, max: number): Sql {
  const statements = new Statements(open, max);
  const transactions = new Transactions(open, max);
  const overrides: Partial<Record<string | symbol, unknown>> = {
    begin: (...parameters: [Work] | [string, Work]) => {
      const [options, work] = parameters.length === 1 ? ['', parameters[0]] : parameters;
      const around = aroundTransactions.getStore();
      const begin = (inner: Work) => transactions.begin(options, inner);
      return around ? around(begin, work) : begin(work);
    },
    // Without a time limit, postgres.js waits forever for a statement whose connection is lost.
    end: async ({ timeout = endSecondsMax }: { timeout?: number } = {}) => {
      await Promise.all([transactions.end({ timeout }), statements.end({ timeout })]);
    },
  };
  return new Proxy(statements.client, {
    apply: (_target, _this, parameters) =>
      withWholeRows(Reflect.apply(statements.client, undefined, parameters)),
    get: (_target, name) => overrides[name] ?? Reflect.get(statements.client, name),
  });
}

type EndOptions = { timeout: number };

class Statements {
  readonly #open: Open;
  readonly #max: number;
  readonly #old = new Set<Sql>();
  #openedAt = 0;
  #renewal: NodeJS.Timeout | undefined;
  #isEnded = false;
  client: Sql;

  constructor(open: Open, max: number) {
    this.#open = open;
    this.#max = max;
    this.client = this.#openClient();
  }

  async end(options: EndOptions): Promise<void> {
    this.#isEnded = true;
    clearTimeout(this.#renewal);
    const old = [...this.#old].map((client) => client.end({ timeout: oldSecondsMax }));
    await Promise.all([this.client.end(options), ...old]);
  }

  #openClient(): Sql {
    this.#openedAt = performance.now();
    const client: Sql = this.#open(this.#max, () => {
      if (client === this.client) this.#renew();
    });
    return client;
  }

  #renew(): void {
    if (this.#isEnded || this.#renewal) return;
    const pauseMs = this.#openedAt + renewPauseMs - performance.now();
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
    this.client = this.#openClient();
  }
}

class Transactions {
  readonly #open: Open;
  readonly #max: number;
  readonly #clients = new Set<TransactionClient>();
  readonly #idle: TransactionClient[] = [];
  readonly #waiting: (() => void)[] = [];
  #isEnded = false;

  constructor(open: Open, max: number) {
    this.#open = open;
    this.#max = max;
  }

  async begin(options: string, work: Work): Promise<unknown> {
    const client = await this.#take();
    try {
      return await client.begin(options, work);
    } finally {
      await this.#release(client);
    }
  }

  async end(options: EndOptions): Promise<void> {
    this.#isEnded = true;
    await Promise.all([...this.#clients].map(({ sql }) => sql.end(options)));
  }

  async #take(): Promise<TransactionClient> {
    while (!this.#isEnded) {
      const client = this.#idle.pop() ?? (this.#clients.size < this.#max ? this.#openClient() : undefined);
      if (client) return client;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    throw connectionClosed();
  }

  #openClient(): TransactionClient {
    const client = new TransactionClient(this.#open, () => this.#drop(client));
    this.#clients.add(client);
    return client;
  }

  async #release(client: TransactionClient): Promise<void> {
    if (!client.isConnected) {
      // Slows down callers that retry at once while the server is away.
      await pause(renewPauseMs);
      this.#drop(client);
    }
    if (this.#clients.has(client)) this.#idle.push(client);
    this.#waiting.shift()?.();
  }

  #drop(client: TransactionClient): void {
    if (!this.#clients.delete(client)) return;
    const index = this.#idle.indexOf(client);
    if (index >= 0) this.#idle.splice(index, 1);
    void client.sql.end({ timeout: 0 });
  }
}

class TransactionClient {
  readonly sql: Sql;
  /** True after the first transaction has begun. */
  isConnected = false;
  #isLost = false;

  constructor(open: Open, lost: () => void) {
    this.sql = open(1, () => {
      this.#isLost = true;
      lost();
    });
  }

  begin(options: string, work: Work): Promise<unknown> {
    return this.sql.begin(options, this.#guarded(work));
  }

  // When the connection is lost, postgres.js fails the transaction by itself. The result of the work must then not reach it, because
  // it would send a rollback or commit.
  #guarded(work: Work): Work {
    return (transaction) =>
      new Promise((resolve, reject) => {
        this.isConnected = true;
        const ends = (end: (value: unknown) => void) => (value: unknown) => {
          if (!this.#isLost) end(value);
        };
        Promise.try(() => allOf(work(this.#guard(transaction)))).then(ends(resolve), ends(reject));
      });
  }

  #guard(transaction: Transaction): Transaction {
    return new Proxy(transaction, {
      apply: (target, _this, parameters) => {
        if (this.#isLost) throw connectionClosed();
        return Reflect.apply(target, undefined, parameters);
      },
      get: (target, name) => {
        if (this.#isLost) throw connectionClosed();
        return name === 'savepoint' ? this.#savepoint(target) : Reflect.get(target, name);
      },
    });
  }

  #savepoint(transaction: Transaction): (...parameters: [Work] | [string, Work]) => Promise<unknown> {
    return (...parameters) =>
      parameters.length === 1
        ? transaction.savepoint(this.#guarded(parameters[0]))
        : transaction.savepoint(parameters[0], this.#guarded(parameters[1]));
  }
}

// Like postgres.js: a list of queries means all of them.
async function allOf(result: unknown): Promise<unknown> {
  return Array.isArray(result) ? Promise.all(result) : result;
}
