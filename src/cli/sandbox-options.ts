/** Options that the simulators share. */
import { InvalidArgumentError } from 'commander';
import type { Clock } from '../time.ts';
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

export function share(text: string): number {
  const number = Number(text);
  if (text !== '' && number >= 0 && number <= 1) return number;
  throw new InvalidArgumentError('It must be a number from 0 to 1.');
}
