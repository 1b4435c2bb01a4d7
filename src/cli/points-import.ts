/**
 * The import of points as its two commands call it: `shoal points import`, `shoal import BOT points`.
 */
import { pointsPlan } from '../imports/points.ts';
import type { CommandContext } from './context.ts';
import { type FileOptions, importFile } from './import-file.ts';

/** Imports the file and tells what came of it. */
export async function importPoints(
  context: CommandContext,
  { json, ...options }: FileOptions & { json: boolean | undefined },
): Promise<void> {
  const { botId } = options;
  const { lines, counts } = await importFile(context, options, pointsPlan(botId));
  const written = counts.written ?? 0;
  const repeated = lines - written;
  const told =
    written === 0 && lines > 0
      ? `All ${lines} lines were written before; nothing was changed.`
      : `${written} of ${lines} lines written, ${repeated} had been written before.`;
  context.out(json ? JSON.stringify({ botId, lines, written, repeated }) : told);
}
