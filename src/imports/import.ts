/**
 * The import of a file into one bot: all of it or nothing.
 *
 * The file is read twice. The first pass checks every line and computes the hash. The second pass writes the lines in batches, in
 * one transaction that holds the bot's lock. Two imports therefore run in turn, and no contact is merged during an import. Memory
 * holds one batch.
 */
import { type Bot, findBot, lockBot } from '../bots/bots.ts';
import type { Sql, Transaction } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { Problems } from '../problems.ts';
import type { Random } from '../random.ts';
import type { Clock } from '../time.ts';
import type { Columns, FileLine } from './columns.ts';
import {
  type ContactReference,
  type Creation,
  canBeAdded,
  findReferences,
  selectContacts,
  unknownContact,
} from './contact-references.ts';
import { type ImportSource, openLines } from './source.ts';

export type ImportedLine = ContactReference & { line: number };
/** A line with the id of its contact. */
export type Resolved<Line> = Line & { contactId: string };

export type ImportPlan<Line extends ImportedLine> = {
  columns: Columns;
  /** Parses one line; throws Refusal with the expected form. */
  read(fields: Readonly<Record<string, string>>, line: number, bot: Bot): Line;
  /**
   * Writes a batch in the order of its lines and returns the counts of changes. A line that cannot be written is added to the
   * problems.
   */
  write(
    tx: Transaction,
    lines: readonly Resolved<Line>[],
    file: { hash: string; problems: Problems; now: number; contactsAdded: number },
  ): Promise<Counts>;
  /** Runs the work in a transaction, and may repeat it. */
  transaction(sql: Sql, work: (tx: Transaction) => Promise<Imported>): Promise<Imported>;
};

export type ImportOptions = { botId: string; source: ImportSource; createContacts: boolean };

export type ImportRun = {
  sql: Sql;
  clock: Clock;
  random: Random;
  linesMax: number;
  /** Receives the number of written lines and of all lines. */
  progress?: (lines: number, all: number) => void;
};

/** Numbers of changes, by names that the plan chooses. */
export type Counts = Readonly<Record<string, number>>;
/** The number of lines with content, and the sums of the changes. */
export type Imported = { lines: number; counts: Counts };

/** Imports the file. Throws Refusal with up to 20 problems by line, or BOT_NOT_FOUND; then nothing is imported. */
export async function importLines<Line extends ImportedLine>(
  run: ImportRun,
  options: ImportOptions,
  plan: ImportPlan<Line>,
): Promise<Imported> {
  const bot = await findBot(run.sql, options.botId);
  const check = await checkFile(run, options, bot, plan);
  return plan.transaction(run.sql, (tx) => writeFile({ tx, run, bot, options, plan, check }));
}

type FileCheck = { hash: string; lines: number };

async function writeFile<Line extends ImportedLine>({
  tx,
  run: { clock, random, progress },
  bot,
  options: { source, createContacts },
  plan,
  check,
}: {
  tx: Transaction;
  run: ImportRun;
  bot: Bot;
  options: ImportOptions;
  plan: ImportPlan<Line>;
  check: FileCheck;
}): Promise<Imported> {
  await lockBot(tx, bot.botId);
  const now = clock();
  const problems = new Problems();
  const file = openLines(source, plan.columns);
  const imported: Imported = { lines: 0, counts: {} };
  for await (const batch of file.batches) {
    const lines = batch.map((line) => readLine(line, bot, plan));
    const creation = createContacts ? { now, random } : null;
    const { resolved, contactsAdded } = await resolve(tx, bot.botId, lines, { creation, problems });
    const counts = await plan.write(tx, resolved, { hash: check.hash, problems, now, contactsAdded });
    imported.counts = sum(imported.counts, counts);
    imported.lines += batch.length;
    progress?.(imported.lines, check.lines);
  }
  problems.throwIfAny();
  if (file.hash() === check.hash) return imported;
  throw new Refusal(
    'INPUT_INVALID',
    `${source.name} changed during the import. Nothing was imported; try again.`,
  );
}

async function checkFile<Line extends ImportedLine>(
  { sql, linesMax }: ImportRun,
  { source, createContacts }: ImportOptions,
  bot: Bot,
  plan: ImportPlan<Line>,
): Promise<FileCheck> {
  const problems = new Problems();
  const file = openLines(source, plan.columns);
  let lines = 0;
  for await (const batch of file.batches) {
    for (const line of batch) problems.try(`line ${line.line}`, () => readLine(line, bot, plan));
    lines += batch.length;
    if (lines > linesMax) {
      throw new Refusal(
        'INPUT_INVALID',
        `${source.name} has more than ${linesMax} lines. Split it into several files.`,
      );
    }
  }
  if (problems.count > 0) await addUnknownContacts(sql, { source, createContacts, bot, plan, problems });
  problems.throwIfAny();
  return { hash: file.hash(), lines };
}

/** Adds the unknown contacts of a file that has other problems, so that one run reports all problems. */
async function addUnknownContacts<Line extends ImportedLine>(
  sql: Sql,
  {
    source,
    createContacts,
    bot,
    plan,
    problems,
  }: {
    source: ImportSource;
    createContacts: boolean;
    bot: Bot;
    plan: ImportPlan<Line>;
    problems: Problems;
  },
): Promise<void> {
  const reportedProblems = new Problems();
  for await (const batch of openLines(source, plan.columns).batches) {
    const lines = batch.flatMap((line) => reportedProblems.try('', () => readLine(line, bot, plan)) ?? []);
    const contactIds = await selectContacts(sql, bot.botId, lines);
    for (const [index, line] of lines.entries()) {
      if (contactIds[index] !== undefined || (createContacts && canBeAdded(line))) continue;
      problems.add(`line ${line.line}`, unknownContact(line));
    }
  }
}

function readLine<Line extends ImportedLine>(line: FileLine, bot: Bot, plan: ImportPlan<Line>): Line {
  if ('fields' in line) return plan.read(line.fields, line.line, bot);
  throw new Refusal('INPUT_INVALID', line.problem);
}

async function resolve<Line extends ImportedLine>(
  tx: Transaction,
  botId: string,
  lines: readonly Line[],
  { creation, problems }: { creation: Creation | null; problems: Problems },
): Promise<{ resolved: Resolved<Line>[]; contactsAdded: number }> {
  const { contactIds, added } = await findReferences(tx, botId, lines, creation);
  const resolved = lines.flatMap((line, index) => {
    const contactId = contactIds[index];
    if (contactId !== undefined) return { ...line, contactId };
    problems.add(`line ${line.line}`, unknownContact(line));
    return [];
  });
  return { resolved, contactsAdded: added };
}

function sum(counts: Counts, more: Counts): Counts {
  const added = Object.entries(more).map(([name, count]) => [name, (counts[name] ?? 0) + count]);
  return { ...counts, ...Object.fromEntries(added) };
}
