/**
 * Commands that open the data. They check their input, open the data, and print one answer.
 */
import { Command, InvalidArgumentError } from 'commander';
import type { Sql } from '../database/client.ts';
import type { CommandContext } from './context.ts';

/** The result of a command. With `isFailure` the command exits with 1. */
export type Answer = { json: object; text: string; isFailure?: boolean };
type Work = (sql: Sql) => Promise<Answer>;

class DataCommand extends Command {
  readonly #context: CommandContext;

  constructor(name: string, context: CommandContext) {
    super(name);
    this.#context = context;
  }

  /**
   * Sets what the command does. `prepare` reads the arguments and options. It throws a Refusal for invalid ones, before the data is
   * opened. The function that it returns works on the data.
   */
  answer<Input extends unknown[]>(prepare: (...input: Input) => Work | Promise<Work>): void {
    this.option('--json', jsonHelp).action(async (...input) => {
      const work = await prepare(...(input as unknown[] as Input));
      printAnswer(this.#context, this.opts(), await this.#context.withDatabase(work));
    });
  }
}

export const jsonHelp = 'print one JSON object';

/** Adds a command that opens the data. Its arguments and options follow, and `answer` last. */
export function dataCommand(
  parent: Command,
  context: CommandContext,
  name: string,
  description: string,
): DataCommand {
  const command = new DataCommand(name, context).description(description);
  parent.addCommand(command.copyInheritedSettings(parent));
  return command;
}

/** Adds a command about one bot. */
export function botCommand(...parameters: Parameters<typeof dataCommand>): DataCommand {
  return dataCommand(...parameters).argument('<bot>', 'bot id');
}

/** Adds a command about one contact of a bot. */
export function contactCommand(...parameters: Parameters<typeof dataCommand>): DataCommand {
  return botCommand(...parameters)
    .argument('<platform>', "the contact's platform")
    .argument('<contact>', 'its id on the platform, or its encoded client id');
}

/** Prints the answer as JSON or text, and sets the exit code. */
export function printAnswer(
  { out }: Pick<CommandContext, 'out'>,
  { json: isJson }: { json?: boolean },
  { json, text, isFailure = false }: Answer,
): void {
  out(isJson ? JSON.stringify(json) : text);
  if (isFailure) process.exitCode = 1;
}

/** One line for each item. */
export function renderList<Item>(items: readonly Item[], render: (item: Item) => string): string {
  return items.map(render).join('\n') || 'None.';
}

type Field = string | number | false | null | undefined | [label: string, at: Date | null];

/** One line of the fields that have a value. */
export function renderLine(...fields: Field[]): string {
  return fields
    .map((field) => (Array.isArray(field) ? field[1] && `${field[0]} ${field[1].toISOString()}` : field))
    .filter((field) => field || field === 0)
    .join('  ');
}

/** Reads a whole number from 0 with at most 15 digits. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Must be a whole number.');
  return Number(text);
}

/** Reads one more of several numbers. */
export function wholeNumbers(text: string, previous: number[]): number[] {
  return [...previous, wholeNumber(text)];
}
