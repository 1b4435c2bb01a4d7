/**
 * `shoal export`: the data of a bot as files for spreadsheets and other systems.
 */
import { Argument } from 'commander';
import { Refusal } from '../errors.ts';
import { type ExportName, type ExportRequest, exportNames, writeExport } from '../exports/export.ts';
import { type ExportFormat, exportFormats } from '../exports/format.ts';
import type { ShoalCommand } from './command.ts';
import type { CommandContext } from './context.ts';
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
export function register(program: ShoalCommand, context: CommandContext): void {
  program
    .add(
      'export',
      'Write contacts, events, conversations, messages by day, points entries or figures by day to stdout or a file. ' +
        'docs/exports.md has the columns.',
    )
    .argument('<bot>', 'bot id')
    .addArgument(new Argument('<what>', 'what to export').choices(exportNames))
    .choice('--format <format>', 'format of the lines', exportFormats, 'csv')
    .option('--bom', 'start a CSV file with a byte order mark, so that spreadsheets recognize UTF-8')
    .option('--from <day>', "first day, in the bot's zone (default: the first)")
    .option('--to <day>', "last day, in the bot's zone (default: the last)")
    .option('--out <file>', 'file to write; it appears when it is complete (default: stdout)')
    .print(
      async (botId: string, what: ExportName, { out: file, json, ...options }: Options) => {
        if (json && file === undefined) {
          throw new Refusal('INPUT_INVALID', '--json needs --out, because the export goes to stdout.');
        }
        const { format, bom = false, from, to } = options;
        const rows = await run(context, { botId, what, format, bom, from, to }, file);
        if (rows === null || file === undefined) return null;
        return {
          json: { botId, what, format, file, rows },
          text: `${rows} rows of ${what} written to ${file}.`,
        };
      },
      { jsonHelp: 'with --out: print one JSON object' },
    );
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
