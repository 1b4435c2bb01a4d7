/**
 * The import of a file into one bot: all of it or nothing.
 *
 * The file is read twice. The first pass checks every line and computes the hash. The second pass writes the lines in batches, in
 * one transaction that holds the bot's lock. Two imports therefore run in turn, and no contact is merged during an import. Memory
 * holds one batch.
 */
import { type Bot, findBot, lockBot } from '../bots/bots.ts';
import type { Sql, Transaction } from '../database/client.ts';
import { repeatedTransaction } from '../database/repeated-transaction.ts';
import { Refusal } from '../errors.ts';
import { Problems } from '../problems.ts';
import type { Random } from '../random.ts';
import type { Clock } from '../time.ts';
import type { Columns, FileLine } from './columns.ts';
import type { ImportedLine, Preparation, Resolved } from './preparation.ts';
import { type ImportSource, openLines } from './source.ts';

export type ImportPlan<Line extends ImportedLine, Ready = Resolved<Line>> = {
  columns: Columns;
  preparation: Preparation<Line, Ready>;
  /** Parses one line; throws Refusal with the expected form. */
  read(fields: Readonly<Record<string, string>>, line: number, bot: Bot): Line;
  /**
   * Writes a batch in the order of its lines and returns the counts of changes. A line that cannot be written is added to the
   * problems.
   */
  write(
    tx: Transaction,
    lines: readonly Ready[],
    file: { hash: string; problems: Problems; now: number; contactsAdded: number },
  ): Promise<Counts>;
};

export type ImportOptions = { botId: string; source: ImportSource; createContacts: boolean };

export type ImportRun = {
  sql: Sql;
  clock: Clock;
  random: Random;
  linesMax: number;
  /** Writes nothing, but counts and refuses as if it did. */
  isPreview?: boolean;
  /** Receives the number of written lines and of all lines. */
  progress?: (lines: number, all: number) => void;
};

/** Numbers of changes, by names that the plan chooses. */
export type Counts = Readonly<Record<string, number>>;
/** The number of lines with content, and the sums of the changes. */
export type Imported = { lines: number; counts: Counts };

/** Imports the file. Throws Refusal with up to 20 problems by line, or BOT_NOT_FOUND; then nothing is imported. */
export async function importLines<Line extends ImportedLine, Ready>(
  run: ImportRun,
  options: ImportOptions,
  plan: ImportPlan<Line, Ready>,
): Promise<Imported> {
  const file = new ImportFile(await findBot(run.sql, options.botId), options, plan);
  const check = await file.check(run);
  try {
    return await repeatedTransaction(run.sql, async (tx) => {
      const imported = await file.write(tx, run, check);
      if (run.isPreview) throw new Previewed(imported);
      return imported;
    });
  } catch (error) {
    if (error instanceof Previewed) return error.imported;
    throw error;
  }
}

/** Rolls the transaction of a preview back. */
class Previewed extends Error {
  readonly imported: Imported;

  constructor(imported: Imported) {
    super('the preview is complete');
    this.imported = imported;
  }
}

type FileCheck = { hash: string; lines: number };

class ImportFile<Line extends ImportedLine, Ready> {
  readonly #bot: Bot;
  readonly #source: ImportSource;
  readonly #createContacts: boolean;
  readonly #plan: ImportPlan<Line, Ready>;

  constructor(bot: Bot, { source, createContacts }: ImportOptions, plan: ImportPlan<Line, Ready>) {
    this.#bot = bot;
    this.#source = source;
    this.#createContacts = createContacts;
    this.#plan = plan;
  }

  /** The first pass. Throws Refusal with the problems. */
  async check({ sql, linesMax }: ImportRun): Promise<FileCheck> {
    const problems = new Problems();
    const file = openLines(this.#source, this.#plan.columns);
    let lines = 0;
    for await (const batch of file.batches) {
      for (const line of batch) problems.try(`line ${line.line}`, () => this.#read(line));
      lines += batch.length;
      if (lines > linesMax) {
        throw new Refusal(
          'INPUT_INVALID',
          `${this.#source.name} has more than ${linesMax} lines. Split it into several files.`,
        );
      }
    }
    if (problems.count > 0) await this.#addUnknownContacts(sql, problems);
    problems.throwIfAny();
    return { hash: file.hash(), lines };
  }

  /** The second pass. */
  async write(tx: Transaction, { clock, random, progress }: ImportRun, check: FileCheck): Promise<Imported> {
    const { botId } = this.#bot;
    await lockBot(tx, botId);
    const now = clock();
    const creation = this.#createContacts ? { now, random } : null;
    const problems = new Problems();
    const file = openLines(this.#source, this.#plan.columns);
    const imported: Imported = { lines: 0, counts: {} };
    for await (const batch of file.batches) {
      const lines = batch.map((line) => this.#read(line));
      const prepared = await this.#plan.preparation.prepare(tx, botId, lines, { creation, problems });
      const context = { hash: check.hash, problems, now, contactsAdded: prepared.contactsAdded };
      imported.counts = sum(imported.counts, await this.#plan.write(tx, prepared.ready, context));
      imported.lines += batch.length;
      progress?.(imported.lines, check.lines);
    }
    problems.throwIfAny();
    if (file.hash() === check.hash) return imported;
    throw new Refusal(
      'INPUT_INVALID',
      `${this.#source.name} changed during the import. Nothing was imported; try again.`,
    );
  }

  /** Adds the unknown contacts of a file that has other problems, so that one run reports all problems. */
  async #addUnknownContacts(sql: Sql, problems: Problems): Promise<void> {
    const reportedProblems = new Problems();
    const options = { createContacts: this.#createContacts, problems };
    for await (const batch of openLines(this.#source, this.#plan.columns).batches) {
      const lines = batch.flatMap((line) => reportedProblems.try('', () => this.#read(line)) ?? []);
      await this.#plan.preparation.check(sql, this.#bot.botId, lines, options);
    }
  }

  #read(line: FileLine): Line {
    if ('fields' in line) return this.#plan.read(line.fields, line.line, this.#bot);
    throw new Refusal('INPUT_INVALID', line.problem);
  }
}

function sum(counts: Counts, more: Counts): Counts {
  const added = Object.entries(more).map(([name, count]) => [name, (counts[name] ?? 0) + count]);
  return { ...counts, ...Object.fromEntries(added) };
}
