/**
 * `shoal export`: everything that a bot has, as files for spreadsheets and other systems.
 */
import { Argument, type Command, Option } from 'commander';
import { Refusal } from '../errors.ts';
import { type AskedExport, type ExportName, exportNames, writeExport } from '../exports/export.ts';
import { type ExportFormat, exportFormats } from '../exports/format.ts';
import type { CommandContext } from './context.ts';
import { fileOutput, type Output, streamOutput } from './output.ts';
import { showProgress } from './progress.ts';
import { Stopped, untilStopped } from './until-stopped.ts';

type Options = {
  format: ExportFormat;
  bom?: boolean;
  from?: string;
  to?: string;
  out?: string;
  json?: boolean;
};

/** As a shell reports a process that Ctrl-C ended. */

/** Adds the command. */
export function register(program: Command, context: CommandContext): void {
  program
    .command('export')
    .description(
      'Write contacts, events, conversations, messages by day, points entries or figures by day to stdout or a file. ' +
        'docs/exports.md has the columns.',
    )
    .argument('<bot>', 'bot id')
    .addArgument(new Argument('<what>', 'what is wanted').choices(exportNames))
    .addOption(new Option('--format <format>', 'format of the lines').choices(exportFormats).default('csv'))
    .option('--bom', 'begin a CSV file with a byte order mark, by which spreadsheets know UTF-8')
    .option('--from <day>', "first day, in the bot's zone; from the first, when left out")
    .option('--to <day>', "last day, in the bot's zone; up to the last, when left out")
    .option('--out <file>', 'file to write; it is there when it is whole. Stdout, when left out')
    .option('--json', 'with --out: print one JSON object')
    .action(async (botId: string, what: ExportName, { out, json, ...options }: Options) => {
      if (json && out === undefined) {
        throw new Refusal('INPUT_INVALID', '--json needs --out: stdout is where the export goes.');
      }
      const asked = { botId, what, format: options.format, bom: options.bom ?? false };
      const rows = await run(context, { ...asked, from: options.from, to: options.to }, out);
      if (rows === null || out === undefined) return;
      const told = `${rows} rows of ${what} written to ${out}.`;
      context.out(json ? JSON.stringify({ botId, what, format: options.format, file: out, rows }) : told);
    });
}

/** Gives the number of rows; null: somebody stopped it, and nothing is left of it. */
async function run(
  context: CommandContext,
  asked: AskedExport,
  path: string | undefined,
): Promise<number | null> {
  return untilStopped(async (signal) => {
    const output = path === undefined ? streamOutput(process.stdout) : await fileOutput(path);
    try {
      const { rows } = await writeTo(context, asked, { output, signal });
      await output.finish();
      return rows;
    } catch (error) {
      await output.discard();
      if (isReaderGone(error)) return null;
      if (!(signal.reason instanceof Stopped)) throw error;
      context.log('Stopped; nothing was kept of the export.');
      process.exitCode = signal.reason.exitCode;
      return null;
    }
  });
}

async function writeTo(
  context: CommandContext,
  asked: AskedExport,
  { output, signal }: { output: Output; signal: AbortSignal },
): Promise<{ rows: number }> {
  const progress = showProgress(context, 'rows');
  try {
    return await context.withDatabase((sql) =>
      writeExport(sql, asked, {
        now: context.clock(),
        signal,
        write: (text) => output.write(text),
        told: (rows, all) => progress.update(rows, all),
      }),
    );
  } finally {
    progress.stop();
  }
}

/** `shoal export … | head` has all it wanted. */
function isReaderGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE';
}
