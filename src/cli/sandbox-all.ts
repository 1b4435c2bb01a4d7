/** `shoal sandbox all`: the LINE simulator and the Meta simulator, for one shop. */
import { startLineSimulator } from '../../simulator/line/simulator.ts';
import { startMetaSimulator } from '../../simulator/meta/simulator.ts';
import { listenProblem } from '../http/listen-problem.ts';
import type { ShoalCommand } from './command.ts';
import type { CommandContext } from './context.ts';
import { lineInstructions } from './sandbox-line.ts';
import { metaInstructions } from './sandbox-meta.ts';
import { addPort, addSandboxOptions, type SandboxFlags, sandboxClock } from './sandbox-options.ts';
import { untilStopped, whenStopped } from './until-stopped.ts';

type Flags = SandboxFlags & { linePort: number; metaPort: number };

const help = `
Both simulators have the options of their own commands at their defaults. Each has its own
address, calls and truth: docs/sandbox.md.`;

/** Adds the command. */
export function addSandboxAll(sandbox: ShoalCommand, context: CommandContext): void {
  const command = sandbox.add('all', 'Simulate LINE and Meta for one shop: both simulators in one process.');
  addPort(command, 8090, { flag: 'line-port', meaning: 'port of the LINE simulator' });
  addPort(command, 8091, { flag: 'meta-port', meaning: 'port of the Meta simulator' });
  addSandboxOptions(command, { people: 100, zone: 'UTC' })
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
