/**
 * `shoal snapshot`: LINE's own figures from a file.
 */
import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { Refusal } from '../errors.ts';
import { importSnapshots } from '../line/snapshots.ts';
import type { CommandContext } from './context.ts';

/** Adds the commands. */
export function register(program: Command, context: CommandContext): void {
  const snapshot = new Command('snapshot').description("LINE's own figures: import.");
  program.addCommand(snapshot);
  snapshot
    .command('import')
    .description(
      'Keep figures that LINE reported, from a JSON array of {kind, day, value}: all of it or nothing. kind: followers, ' +
        "delivery, demographic, quota, sent-reply, sent-push, sent-multicast or sent-broadcast; day: YYYYMMDD or YYYY-MM-DD in UTC+9; value: LINE's answer as it came. " +
        'Interaction statistics too: {kind: message-event, requestId, value} and {kind: unit, unit, from, to, value}.',
    )
    .argument('<bot>', 'bot id')
    .argument('<file>', 'JSON file')
    .option('--json', 'print one JSON object')
    .action(async (botId: string, path: string, { json }: { json?: boolean }) => {
      const entries = await readJson(path);
      const { stored, passedOver } = await context.withDatabase((sql) =>
        importSnapshots(sql, { botId, entries }, { now: context.clock() }),
      );
      const told = `${stored} snapshots stored; ${passedOver} passed over, because a ready or later one is kept.`;
      context.out(json ? JSON.stringify({ botId, stored, passedOver }) : told);
    });
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new Refusal('INPUT_INVALID', `${path} cannot be read: ${error.message}.`);
  });
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new Refusal(
      'INPUT_INVALID',
      `${path} is not JSON: ${error instanceof Error ? error.message : error}.`,
    );
  }
}
