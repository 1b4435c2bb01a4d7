/** Options that the simulators share. */
import { InvalidArgumentError } from 'commander';
import type { Clock } from '../time.ts';
import { type ShoalCommand, wholeNumberIn } from './command.ts';
import type { CommandContext } from './context.ts';

/** The machine's clock, shifted to `begin` (ms), or stopped. */
export function sandboxClock(
  { clock }: CommandContext,
  { begin, still }: { begin: number | undefined; still: boolean },
): Clock {
  const startedAt = clock();
  const from = begin ?? startedAt;
  return still ? () => from : () => from + clock() - startedAt;
}

export function webUrl(text: string): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text;
  throw new InvalidArgumentError('It must be a URL that begins with http:// or https://.');
}

function share(text: string): number {
  const number = Number(text);
  if (text !== '' && number >= 0 && number <= 1) return number;
  throw new InvalidArgumentError('It must be a number from 0 to 1.');
}

/** Adds how webhooks are repeated and delayed. */
export function addDisturbance(command: ShoalCommand): ShoalCommand {
  return command
    .option('--batch <count>', 'largest number of events in one webhook', wholeNumberIn(1, 100), 1)
    .option('--repeat <share>', 'share of webhooks sent twice, 0 to 1', share, 0)
    .option(
      '--late <minutes>',
      'largest delay of an event; later events may overtake it',
      wholeNumberIn(0, 10_080),
      0,
    );
}
