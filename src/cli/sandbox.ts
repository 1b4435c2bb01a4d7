/** `shoal sandbox`: simulators of the platforms, to test Shoal or a bot without an account there. They open no database. */
import type { ShoalCommand } from './command.ts';
import type { CommandContext } from './context.ts';
import { addSandboxAll } from './sandbox-all.ts';
import { addSandboxLine } from './sandbox-line.ts';
import { addSandboxMeta } from './sandbox-meta.ts';

/** Adds the commands. */
export function register(program: ShoalCommand, context: CommandContext): void {
  const sandbox = program.add('sandbox', 'Simulators of platforms for tests: line, meta, all.');
  addSandboxLine(sandbox, context);
  addSandboxMeta(sandbox, context);
  addSandboxAll(sandbox, context);
}
