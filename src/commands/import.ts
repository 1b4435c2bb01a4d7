/**
 * The import of a CSV file into one bot: all of it or nothing.
 *
 * The file is read twice. The first time every line is checked, and its hash is taken; the second time the lines are written
 * in batches, in one transaction that holds the bot's lock, so that two imports queue up and no contact is joined to another
 * meanwhile. Memory holds one batch.
 */
import { type Bot, findBot, lockBot } from '../bots/bots.ts';
import type { Sql, Transaction } from '../database/database.ts';
import { Refusal } from '../errors.ts';
import { Problems } from '../problems.ts';
import {
  type ContactReference,
  type Creation,
  findReferences,
  unknownContact,
} from './contact-references.ts';
import type { CommandContext } from './context.ts';
import { type Columns, type CsvLine, openCsv } from './csv.ts';
import { type Progress, showProgress } from './progress.ts';

export type ImportedLine = ContactReference & { line: number };
/** A line whose contact is known. */
export type Resolved<Line> = Line & { contactId: string };

export type ImportPlan<Line extends ImportedLine> = {
  columns: Columns;
  /** Reads one line; throws Refusal with what was expected. */
  read(fields: Readonly<Record<string, string>>, line: number, bot: Bot): Line;
  /**
   * Writes a batch in the order of its lines; a line that cannot be written is added to the problems. Gives the number of
   * lines that changed something.
   */
  write(
    tx: Transaction,
    lines: readonly Resolved<Line>[],
    file: { hash: string; problems: Problems; now: number },
  ): Promise<number>;
  /** Runs the work in a transaction, perhaps more than once. */
  transaction(sql: Sql, work: (tx: Transaction) => Promise<Imported>): Promise<Imported>;
};

export type ImportOptions = { botId: string; path: string; createContacts: boolean };

/** Lines after the header, and how many of them changed something. */
export type Imported = { lines: number; changed: number };

const linesMax = 10_000_000;

/** Imports the file. Throws Refusal with up to 20 problems by line, or BOT_NOT_FOUND; nothing is imported then. */
export async function importCsv<Line extends ImportedLine>(
  context: CommandContext,
  options: ImportOptions,
  plan: ImportPlan<Line>,
): Promise<Imported> {
  return context.withDatabase(async (sql) => {
    const bot = await findBot(sql, options.botId);
    const checked = await checkFile(options.path, bot, plan);
    const progress = showProgress(context, 'lines');
    try {
      return await plan.transaction(sql, (tx) =>
        writeFile({ tx, context, bot, options, plan, checked, progress }),
      );
    } finally {
      progress.stop();
    }
  });
}

type Checked = { hash: string; lines: number };

async function writeFile<Line extends ImportedLine>({
  tx,
  context: { clock, random },
  bot,
  options,
  plan,
  checked,
  progress,
}: {
  tx: Transaction;
  context: CommandContext;
  bot: Bot;
  options: ImportOptions;
  plan: ImportPlan<Line>;
  checked: Checked;
  progress: Progress;
}): Promise<Imported> {
  await lockBot(tx, bot.botId);
  const now = clock();
  const problems = new Problems();
  const file = openCsv(options.path, plan.columns);
  const imported = { lines: 0, changed: 0 };
  for await (const batch of file.batches) {
    const lines = batch.map((line) => readLine(line, bot, plan));
    const creation = options.createContacts ? { now, random } : null;
    const known = await resolve(tx, bot.botId, lines, { creation, problems });
    imported.changed += await plan.write(tx, known, { hash: checked.hash, problems, now });
    imported.lines += batch.length;
    progress.update(imported.lines, checked.lines);
  }
  problems.throwIfAny();
  if (file.hash() === checked.hash) return imported;
  throw new Refusal('INPUT_INVALID', `${options.path} was changed while it was read; nothing was imported.`);
}

async function checkFile<Line extends ImportedLine>(
  path: string,
  bot: Bot,
  plan: ImportPlan<Line>,
): Promise<Checked> {
  const problems = new Problems();
  const file = openCsv(path, plan.columns);
  let lines = 0;
  for await (const batch of file.batches) {
    for (const line of batch) problems.try(`line ${line.line}`, () => readLine(line, bot, plan));
    lines += batch.length;
    if (lines > linesMax)
      throw new Refusal('INPUT_INVALID', `${path} has more than ${linesMax} lines; split it.`);
  }
  problems.throwIfAny();
  return { hash: file.hash(), lines };
}

function readLine<Line extends ImportedLine>(
  { line, fields }: CsvLine,
  bot: Bot,
  plan: ImportPlan<Line>,
): Line {
  if (fields) return plan.read(fields, line, bot);
  throw new Refusal('INPUT_INVALID', 'the line must have as many fields as the first line has columns.');
}

async function resolve<Line extends ImportedLine>(
  tx: Transaction,
  botId: string,
  lines: readonly Line[],
  { creation, problems }: { creation: Creation | null; problems: Problems },
): Promise<Resolved<Line>[]> {
  const contactIds = await findReferences(tx, botId, lines, creation);
  return lines.flatMap((line, index) => {
    const contactId = contactIds[index];
    if (contactId !== undefined) return { ...line, contactId };
    problems.add(`line ${line.line}`, unknownContact(line));
    return [];
  });
}
