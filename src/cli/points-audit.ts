/**
 * `shoal points audit`.
 */
import type { Command } from 'commander';
import { findBot } from '../bots/bots.ts';
import { type AuditDifference, auditPoints } from '../points/audit.ts';
import type { CommandContext } from './context.ts';
import { botCommand } from './data-command.ts';

/** Adds `audit`. */
export function addAudit(points: Command, context: CommandContext): void {
  botCommand(
    points,
    context,
    'audit',
    'Check that each balance is the sum of its entries and of its lots, that every transfer has both sides, ' +
      'and that reversals undo existing entries. Exit code 1 if not.',
  ).answer((botId: string) => async (sql) => {
    await findBot(sql, botId);
    const differences = await auditPoints(sql, botId);
    const right = differences.length === 0;
    return { json: { botId, right, differences }, text: render(differences), isFailure: !right };
  });
}

function render(differences: readonly AuditDifference[]): string {
  if (differences.length === 0) return 'Every balance is correct.';
  const lines = differences.map(
    ({ contactId, balance, entries, lots, entriesOutOfLine, unpaired, unfounded, nextExpiryRight }) =>
      `${contactId}: balance ${balance}, entries ${entries}, lots ${lots}, entries with a wrong balance ${entriesOutOfLine}, ` +
      `transfers with one side ${unpaired}, reversals of missing entries ${unfounded}, ` +
      `next expiry ${nextExpiryRight ? 'correct' : 'wrong'}`,
  );
  return [`${differences.length} accounts are incorrect:`, ...lines].join('\n');
}
