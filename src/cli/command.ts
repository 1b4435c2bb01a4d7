/**
 * The class of all commands. A command checks its input, opens the data, and prints one answer.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Sql } from '../database/client.ts';
import type { CommandContext } from './context.ts';

/** The result of a command. With `isFailure` the command exits with 1. */
export type Answer = { json: object; text: string; isFailure?: boolean };
type Work = (sql: Sql) => Promise<Answer>;

/** A command or a group of commands. Its subcommands have the same class and context. */
export class ShoalCommand extends Command {
  readonly #context: Pick<CommandContext, 'withDatabase' | 'out'>;

  constructor(name: string, context: Pick<CommandContext, 'withDatabase' | 'out'>) {
    super(name);
    this.#context = context;
  }

  override createCommand(name = ''): ShoalCommand {
    return new ShoalCommand(name, this.#context);
  }

  /** Adds a command. Its arguments and options follow, and `answer`, `print` or `action` last. */
  add(name: string, description: string): ShoalCommand {
    return this.command(name).description(description);
  }

  /** Adds a command about one bot. */
  addForBot(name: string, description: string): ShoalCommand {
    return this.add(name, description).argument('<bot>', 'bot id');
  }

  /** Adds a command about one contact of a bot. */
  addForContact(name: string, description: string): ShoalCommand {
    return this.addForBot(name, description)
      .argument('<platform>', "the contact's platform")
      .argument('<contact>', 'its id on the platform, or its encoded client id');
  }

  /** Adds an option with a fixed list of values. */
  choice(flags: string, description: string, values: readonly string[], preset?: string): this {
    return this.addOption(new Option(flags, description).choices(values).default(preset));
  }

  /**
   * Sets what the command does with the data. `prepare` reads the arguments and options. It throws a Refusal for invalid ones, before
   * the data is opened. The function that it returns works on the data.
   */
  answer<Input extends unknown[]>(prepare: (...input: Input) => Work | Promise<Work>): void {
    this.print(async (...input: Input) => this.#context.withDatabase(await prepare(...input)));
  }

  /** Sets what the command does. Its answer is printed as text or as JSON; null: nothing. */
  print<Input extends unknown[]>(
    run: (...input: Input) => Promise<Answer | null>,
    { jsonHelp = 'print one JSON object' } = {},
  ): void {
    this.option('--json', jsonHelp).action(async (...input) => {
      const answer = await run(...(input as unknown[] as Input));
      if (answer === null) return;
      this.#context.out(this.opts().json ? JSON.stringify(answer.json) : answer.text);
      if (answer.isFailure) process.exitCode = 1;
    });
  }
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

/** Returns a reader of whole numbers from `min` (at least 0) to `max`. */
export function wholeNumberIn(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d{1,15}$/.test(text) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`Must be a whole number from ${min} to ${max}.`);
  };
}

/** Reads one more of several numbers. */
export function wholeNumbers(text: string, previous: number[]): number[] {
  return [...previous, wholeNumber(text)];
}
