/**
 * The help of every command as one text, for the snapshot `tests/snapshots/cli-help.txt`, so that it changes only on purpose.
 */
import type { Command } from 'commander';
import { buildProgram } from '../src/cli/cli.ts';

export const cliHelpFile = new URL('snapshots/cli-help.txt', import.meta.url);
const width = 100;

/** The help of the program and of each of its commands, in their order, the same in any terminal. */
export async function renderCliHelp(): Promise<string> {
  return withDescendants(await buildProgram())
    .map(renderHelp)
    .join('\n');
}

function renderHelp(command: Command): string {
  command.configureOutput({ getOutHelpWidth: () => width, getOutHasColors: () => false });
  return `### ${nameOf(command)}\n\n${command.helpInformation()}`;
}

function nameOf(command: Command): string {
  return command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name();
}

function withDescendants(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withDescendants)];
}
