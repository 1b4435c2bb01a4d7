/**
 * `shoal export`: the data of a bot as files for spreadsheets and other systems.
 */
import { Argument, type Command, Option } from 'commander';
import { Refusal } from '../errors.ts';
import { type ExportName, type ExportRequest, exportNames, writeExport } from '../exports/export.ts';
import { type ExportFormat, exportFormats } from '../exports/format.ts';
import type { CommandContext } from './context.ts';
import { printAnswer } from './data-command.ts';
import { fileOutput, type Output, streamOutput } from './output.ts';
import { withProgress } from './progress.ts';
import { Stopped, untilStopped } from './until-stopped.ts';

type Options = {
  format: ExportFormat;
  bom?: boolean;
  from?: string;
  to?: string;
  out?: string;
  json?: boolean;
};

/** Adds the command. */
export function register(program: Command, context: CommandContext): void {
  program
    .command('export')
    .description(
      'Write contacts, events, conversations, messages by day, points entries or figures by day to stdout or a file. ' +
        'docs/exports.md has the columns.',
    )
    .argument('<bot>', 'bot id')
    .addArgument(new Argument('<what>', 'what to export').choices(exportNames))
    .addOption(new Option('--format <format>', 'format of the lines').choices(exportFormats).default('csv'))
    .option('--bom', 'start a CSV file with a byte order mark, so that spreadsheets recognize UTF-8')
    .option('--from <day>', "first day, in the bot's zone (default: the first)")
    .option('--to <day>', "last day, in the bot's zone (default: the last)")
    .option('--out <file>', 'file to write; it appears when it is complete (default: stdout)')
    .option('--json', 'with --out: print one JSON object')
    .action(async (botId: string, what: ExportName, { out: file, json, ...options }: Options) => {
      if (json && file === undefined) {
        throw new Refusal('INPUT_INVALID', '--json needs --out, because the export goes to stdout.');
      }
      const { format, bom = false, from, to } = options;
      const rows = await run(context, { botId, what, format, bom, from, to }, file);
      if (rows === null || file === undefined) return;
      printAnswer(
        context,
        { json: json ?? false },
        { json: { botId, what, format, file, rows }, text: `${rows} rows of ${what} written to ${file}.` },
      );
    });
}

/** Returns the number of rows, or null if the export was stopped and its output deleted. */
async function run(
  context: CommandContext,
  request: ExportRequest,
  file: string | undefined,
): Promise<number | null> {
  return untilStopped(async (signal) => {
    const output = file === undefined ? streamOutput(process.stdout) : await fileOutput(file);
    try {
      const { rows } = await writeTo(context, request, { output, signal });
      await output.finish();
      return rows;
    } catch (error) {
      await output.discard();
      if (isReaderGone(error)) return null;
      if (!(signal.reason instanceof Stopped)) throw error;
      context.log('Stopped. No file was written.');
      process.exitCode = signal.reason.exitCode;
      return null;
    }
  });
}

function writeTo(
  context: CommandContext,
  request: ExportRequest,
  { output, signal }: { output: Output; signal: AbortSignal },
): Promise<{ rows: number }> {
  return withProgress(context, 'rows', (progress) =>
    context.withDatabase((sql) =>
      writeExport(sql, request, {
        ...{ now: context.clock(), signal, progress },
        write: (text) => output.write(text),
      }),
    ),
  );
}

/** The reader closed the pipe, as in `shoal export … | head`. */
function isReaderGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE';
}
