/**
 * Writes the audit log with each change. A call or a command runs within a scope that names its actor and its subject. The first
 * transaction of the scope that changes the subject also writes the entry, so that neither exists without the other.
 */
import { lockBot } from '../bots/bots.ts';
import { aroundTransactions, type Work } from '../database/around-transactions.ts';
import type { Queryable, Transaction } from '../database/client.ts';
import type { JsonObject } from '../json.ts';
import type { Clock } from '../time.ts';
import { type Change, changeOf, lockRow, newId, type SubjectKind } from './subjects.ts';

export type Actor = { kind: 'user' | 'token' | 'link' | 'command'; id: string | null; name: string };
export type Origin = 'dashboard' | 'api' | 'command';

/** A change that the log names. */
export type Scope = {
  origin: Origin;
  actor: Actor;
  address: string | null;
  operation: string;
  botId: string | null;
  /**
   * `kind` null: an action without stored settings, with its details. `id` null: known after the change, from the result of the
   * transaction.
   */
  subject:
    | { kind: SubjectKind; id: string | null; findId?: (tx: Transaction) => Promise<string | null> }
    | Action;
};

/** `isApart`: several transactions, or one that calls share, so the entry follows the success in a transaction of its own. */
type Action = { kind: null; id: string | null; details: JsonObject | null; isApart: boolean };

type OpenScope = Scope & { clock: Clock; transactions: number; isWritten: boolean };

/**
 * Runs a change within a scope. An action without a transaction gets its entry after its success, unless `isRepeated` then returns
 * true; `actorOf`: its actor, if only the result shows it. Throws an error if settings were changed without a transaction: their entry
 * would be missing.
 */
export async function audited<Result>(
  sql: Queryable,
  scope: Scope,
  {
    clock,
    run,
    actorOf = () => scope.actor,
    isRepeated = () => false,
  }: {
    clock: Clock;
    run: () => Promise<Result>;
    actorOf?: (result: Result) => Actor;
    isRepeated?: () => boolean;
  },
): Promise<Result> {
  const open: OpenScope = { ...scope, clock, transactions: 0, isWritten: false };
  const result = await aroundTransactions.run((begin, work) => withEntry(open, begin, work), run);
  const { subject } = scope;
  if (subject.kind !== null && open.transactions === 0)
    throw new Error(`${scope.operation} changed settings outside of an audited transaction`);
  if (subject.kind === null && !open.isWritten && !isRepeated()) {
    await write(sql, { ...open, actor: actorOf(result) }, actionOf(subject));
  }
  return result;
}

async function withEntry(
  scope: OpenScope,
  begin: (work: Work) => Promise<unknown>,
  work: Work,
): Promise<unknown> {
  scope.transactions += 1;
  const { subject } = scope;
  if (subject.kind !== null) return begin((tx) => withChange(tx, { ...scope, subject }, work));
  if (subject.isApart || scope.isWritten) return begin(work);
  const result = await begin(async (tx) => {
    const done = await allOf(work(tx));
    await write(tx, scope, actionOf(subject));
    return done;
  });
  scope.isWritten = true;
  return result;
}

type ChangeScope = OpenScope & { subject: Exclude<Scope['subject'], Action> };

async function withChange(tx: Transaction, scope: ChangeScope, work: Work): Promise<unknown> {
  const { subject, botId } = scope;
  const { kind, findId } = subject;
  // In the order of all changes: the bot, then its rows.
  if (botId !== null) await lockBot(tx, botId);
  const known = subject.id ?? (findId ? await findId(tx) : null);
  const before = await lockRow(tx, { kind, botId, id: known });
  const result = await allOf(work(tx));
  const id = known ?? newId(kind, result);
  const after = await lockRow(tx, { kind, botId: botId ?? botOf(kind, id), id });
  const change = changeOf(kind, before, after);
  if (change) {
    const name = (after ?? before)?.name;
    await write(tx, scope, { ...change, id, name: typeof name === 'string' ? name : null });
  }
  return result;
}

function botOf(kind: SubjectKind | null, id: string | null): string | null {
  return kind === 'bot' ? id : null;
}

type Content = Change & { id: string | null; name: string | null };

function actionOf({ id, details }: Action): Content {
  return { id, name: null, before: null, after: details };
}

async function write(sql: Queryable, scope: OpenScope, { id, name, before, after }: Content): Promise<void> {
  const { clock, origin, actor, address, operation, subject } = scope;
  const botId = scope.botId ?? botOf(subject.kind, id);
  const toJson = (value: JsonObject | null) => (value === null ? null : JSON.stringify(value));
  await sql`
    insert into audit_entries (happened_at, origin, actor_kind, actor_id, actor_name, address, operation, bot_id, subject_kind,
      subject_id, subject_name, before, after)
    values (${new Date(clock())}, ${origin}, ${actor.kind}, ${actor.id}, ${actor.name}, ${address}, ${operation}, ${botId},
      ${subject.kind}, ${id}, ${name}, ${toJson(before)}::text::jsonb, ${toJson(after)}::text::jsonb)`;
}

// Like postgres.js: a list of queries means all of them.
async function allOf(result: unknown): Promise<unknown> {
  return Array.isArray(result) ? Promise.all(result) : result;
}
