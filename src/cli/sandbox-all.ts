/** `shoal sandbox all`: the LINE simulator and the Meta simulator, for one shop. */
import { startLineSimulator } from '../../simulator/line/simulator.ts';
import { startMetaSimulator } from '../../simulator/meta/simulator.ts';
import { listenProblem } from '../http/listen-problem.ts';
import { readInstant } from '../imports/values.ts';
import { type ShoalCommand, wholeNumberIn } from './command.ts';
import type { CommandContext } from './context.ts';
import { lineInstructions } from './sandbox-line.ts';
import { metaInstructions } from './sandbox-meta.ts';
import { sandboxClock } from './sandbox-options.ts';
import { untilStopped, whenStopped } from './until-stopped.ts';

type Flags = {
  linePort: number;
  metaPort: number;
  host: string;
  seed: number;
  people: number;
  pastDays: number;
  begin?: number;
  still: boolean;
};

const help = `
Both simulators have the options of their own commands at their defaults. Each has its own
address, calls and truth: docs/sandbox.md.`;

/** Adds the command. */
export function addSandboxAll(sandbox: ShoalCommand, context: CommandContext): void {
  sandbox
    .add('all', 'Simulate LINE and Meta for one shop: both simulators in one process.')
    .option(
      '--line-port <value>',
      'port of the LINE simulator; 0 takes a free one',
      wholeNumberIn(0, 65_535),
      8090,
    )
    .option(
      '--meta-port <value>',
      'port of the Meta simulator; 0 takes a free one',
      wholeNumberIn(0, 65_535),
      8091,
    )
    .option(
      '--host <value>',
      'address to listen on; any program that can reach it can control the simulators',
      '127.0.0.1',
    )
    .option('--seed <number>', 'selects the simulated people', wholeNumberIn(0, 2 ** 32 - 1), 1)
    .option(
      '--people <count>',
      'approximate number of people on each platform at the start',
      wholeNumberIn(0, 100_000),
      100,
    )
    .option('--past-days <count>', 'age of the accounts in days at the start', wholeNumberIn(0, 3_650), 60)
    .option(
      '--begin <time>',
      'start of the clocks: ISO 8601 with a time zone, or a date (UTC); default: now',
      (text) => readInstant(text, 'UTC'),
    )
    .option('--still', 'stop the clocks; only /sandbox/run advances them', false)
    .addHelpText('after', help)
    .action((flags: Flags) => run(context, flags));
}

async function run(
  context: CommandContext,
  { linePort, metaPort, begin, still, ...options }: Flags,
): Promise<void> {
  const { host } = options;
  const shared = { ...options, clock: sandboxClock(context, { begin, still }), isLive: true };
  const line = await startLineSimulator({ ...shared, port: linePort }).catch((error: unknown) => {
    throw listenProblem(error, { host, port: linePort, flag: 'line-port' });
  });
  try {
    const meta = await startMetaSimulator({ ...shared, port: metaPort }).catch((error: unknown) => {
      throw listenProblem(error, { host, port: metaPort, flag: 'meta-port' });
    });
    try {
      context.out(lineInstructions(line, options.seed));
      context.out(metaInstructions(meta));
      await untilStopped(whenStopped);
    } finally {
      await meta.close();
    }
  } finally {
    await line.close();
  }
}
