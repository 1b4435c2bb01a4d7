/**
 * `shoal snapshot`: LINE's own figures from a file.
 */
import { readFile } from 'node:fs/promises';
import { Refusal } from '../errors.ts';
import { importSnapshots } from '../line/snapshots.ts';
import type { ShoalCommand } from './command.ts';
import type { CommandContext } from './context.ts';

/** Adds the commands. */
export function register(program: ShoalCommand, context: CommandContext): void {
  const snapshot = program.add('snapshot', "LINE's own figures: import.");
  snapshot
    .addForBot(
      'import',
      "Store LINE's own figures from a JSON array of {kind, day, value}, completely or not at all. kind: followers, " +
        'delivery, demographic, quota, sent-reply, sent-push, sent-multicast or sent-broadcast; day: YYYYMMDD or YYYY-MM-DD ' +
        "in UTC+9; value: LINE's answer, unchanged. " +
        'Interaction statistics, too: {kind: message-event, requestId, value}, {kind: unit, unit, from, to, value} and ' +
        '{kind: rich-menu-daily or rich-menu-summary, richMenuId, from, to, value}.',
    )
    .argument('<file>', 'JSON file')
    .answer(async (botId: string, path: string) => {
      const entries = await readJson(path);
      return async (sql) => {
        const { stored, passedOver } = await importSnapshots(
          sql,
          { botId, entries },
          { now: context.clock() },
        );
        return {
          json: { botId, stored, passedOver },
          text: `${stored} snapshots stored; ${passedOver} skipped, because a ready or later one exists.`,
        };
      };
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
