/**
 * What the commands on a contact have in common: how it is named on the command line.
 */
import type { Command } from 'commander';

/** Adds a command whose first arguments are a bot and a contact of it. */
export function contactCommand(parent: Command, name: string, description: string): Command {
  return parent
    .command(name)
    .description(description)
    .argument('<bot>', 'bot id')
    .argument('<platform>', "the contact's platform")
    .argument('<contact>', 'its id on the platform, or its encoded client id')
    .option('--json', 'print one JSON object');
}
