/**
 * `shoal points audit`.
 */
import type { Command } from 'commander';
import { findBot } from '../bots/bots.ts';
import { type AuditDifference, auditPoints } from '../points/audit.ts';
import type { CommandContext } from './context.ts';

/** Adds `audit`. */
export function addAudit(points: Command, context: CommandContext): void {
  points
    .command('audit')
    .description(
      'Prove that all balances are the sum of their entries and of what is left in their lots, that every transfer arrived ' +
        'and that reversals undo what is there; exit 1 if not.',
    )
    .argument('<bot>', 'bot id')
    .option('--json', 'print one JSON object')
    .action(async (botId: string, { json }: { json?: boolean }) => {
      const differences = await context.withDatabase(async (sql) => {
        await findBot(sql, botId);
        return auditPoints(sql, botId);
      });
      const right = differences.length === 0;
      context.out(json ? JSON.stringify({ botId, right, differences }) : audited(differences));
      if (!right) process.exitCode = 1;
    });
}

function audited(differences: readonly AuditDifference[]): string {
  if (differences.length === 0) return 'Every balance is right.';
  const lines = differences.map(
    ({ contactId, balance, entries, lots, entriesOutOfLine, unpaired, unfounded, nextExpiryRight }) =>
      `${contactId}: balance ${balance}, entries ${entries}, lots ${lots}, entries out of line ${entriesOutOfLine}, ` +
      `without their other side ${unpaired}, reversing what is not there ${unfounded}, ` +
      `next expiry ${nextExpiryRight ? 'right' : 'wrong'}`,
  );
  return [`${differences.length} accounts are not right:`, ...lines].join('\n');
}
