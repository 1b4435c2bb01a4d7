/** Options that the simulators share. */
import { InvalidArgumentError } from 'commander';
import { readInstant } from '../imports/values.ts';
import type { Clock } from '../time.ts';
import { type ShoalCommand, wholeNumberIn } from './command.ts';
import type { CommandContext } from './context.ts';

/** The values of the options that every simulator has. */
export type SandboxFlags = {
  host: string;
  seed: number;
  people: number;
  pastDays: number;
  begin?: number;
  still: boolean;
};

const portMax = 65_535;
const peopleMax = 100_000;
const pastDaysMax = 3_650;

/** Adds the port of a simulator. `flag`: `port`, or such as `line-port` where a command has several. */
export function addPort(
  command: ShoalCommand,
  port: number,
  { flag = 'port', meaning = 'port to listen on' } = {},
): ShoalCommand {
  return command.option(
    `--${flag} <value>`,
    `${meaning}; 0 takes a free one`,
    wholeNumberIn(0, portMax),
    port,
  );
}

/** Adds the options that every simulator has. `zone`: of a date in `--begin`. */
export function addSandboxOptions(
  command: ShoalCommand,
  { people, zone }: { people: number; zone: string },
): ShoalCommand {
  return command
    .option(
      '--host <value>',
      'address to listen on; any program that can reach it can control the simulation',
      '127.0.0.1',
    )
    .option('--seed <number>', 'selects the simulated people', wholeNumberIn(0, 2 ** 32 - 1), 1)
    .option(
      '--people <count>',
      'approximate number of people at the start, on each platform',
      wholeNumberIn(0, peopleMax),
      people,
    )
    .option(
      '--past-days <count>',
      'age of the accounts in days at the start',
      wholeNumberIn(0, pastDaysMax),
      60,
    )
    .option(
      '--begin <time>',
      `start of the clock: ISO 8601 with a time zone, or a date (${zone}); default: now`,
      (text) => readInstant(text, zone),
    )
    .option('--still', 'stop the clock; only /sandbox/run advances it', false);
}

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

/** The values of the options of `addDisturbance`. */
export type Disturbed = { batch: number; repeat: number; late: number };

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
