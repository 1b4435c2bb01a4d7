/**
 * `shoal bot`: bots and their API pairs. The secret of a pair is told once, by the command that makes it.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type Bot,
  type BotChanges,
  createBot,
  type LineProgram,
  linePrograms,
  listBots,
  renewPair,
} from '../bots/bots.ts';
import { Refusal } from '../errors.ts';
import { updateBot } from '../rebuild/update-bot.ts';
import type { CommandContext, Context } from './context.ts';
import { showProgress } from './progress.ts';

export type KeyContext = CommandContext & Pick<Context, 'keys'>;

const jsonHelp = 'print one JSON object';
const noProgram = 'none';

/** Adds the commands. */
export function register(program: Command, context: KeyContext): void {
  const bot = program.command('bot').description('Bots: create, list, set, refresh-token.');
  addCreate(bot, context);
  addList(bot, context);
  addSet(bot, context);
  addRefreshToken(bot, context);
}

type CreateOptions = { name: string; timeZone: string; json?: boolean };

function addCreate(bot: Command, context: KeyContext): void {
  bot
    .command('create')
    .description('Make a bot with its API token and secret; the secret is told this once.')
    .requiredOption('--name <name>', 'what the bot is called')
    .option('--time-zone <zone>', 'IANA name; decides on which day something happened', 'Asia/Taipei')
    .option('--json', jsonHelp)
    .action(async ({ name, timeZone, json }: CreateOptions) => {
      const making = { now: context.clock(), random: context.random };
      const made = await context.withDatabase(async (sql) =>
        createBot(sql, { name, timeZone }, { ...making, keys: await context.keys(sql) }),
      );
      context.out(json ? JSON.stringify(made) : lines({ 'Bot id': made.botId, ...pairLines(made) }));
    });
}

function addList(bot: Command, context: KeyContext): void {
  bot
    .command('list')
    .description('List the bots.')
    .option('--json', jsonHelp)
    .action(async ({ json }: { json?: boolean }) => {
      const bots = await context.withDatabase((sql) => listBots(sql));
      context.out(json ? JSON.stringify({ bots }) : bots.map(toLine).join('\n') || 'None.');
    });
}

type SetOptions = {
  name?: string;
  timeZone?: string;
  conversationGap?: number;
  lineProgram?: LineProgram | typeof noProgram;
  json?: boolean;
};

function addSet(bot: Command, context: KeyContext): void {
  bot
    .command('set')
    .description(
      'Change a bot. After a change of time zone or conversation gap its figures are counted anew.',
    )
    .argument('<bot>', 'bot id')
    .option('--name <name>', 'what the bot is called')
    .option('--time-zone <zone>', 'IANA name')
    .option(
      '--conversation-gap <seconds>',
      'a longer pause between two messages begins a new conversation',
      wholeNumber,
    )
    .addOption(
      new Option('--line-program <program>', `LINE's plan; ${noProgram}: derive it from the quota`).choices([
        ...linePrograms,
        noProgram,
      ]),
    )
    .option('--json', jsonHelp)
    .action(async (botId: string, { json, ...options }: SetOptions) => {
      const recounted = await set(context, botId, toChanges(options));
      const told = recounted ? 'Changed; the figures were counted anew.' : 'Changed.';
      context.out(json ? JSON.stringify({ botId, recounted }) : told);
    });
}

function toChanges({ conversationGap, lineProgram, ...changes }: Omit<SetOptions, 'json'>): BotChanges {
  return {
    ...changes,
    ...(conversationGap === undefined ? {} : { conversationGapSeconds: conversationGap }),
    ...(lineProgram === undefined ? {} : { lineProgram: lineProgram === noProgram ? null : lineProgram }),
  };
}

/** True when the figures were counted anew. */
async function set(context: KeyContext, botId: string, changes: BotChanges): Promise<boolean> {
  if (Object.keys(changes).length === 0) throw new Refusal('INPUT_INVALID', 'There is nothing to change.');
  const bar = showProgress(context, 'contacts');
  try {
    const { recounted } = await context.withDatabase((sql) =>
      updateBot(sql, botId, changes, { progress: (done, all) => bar.update(done, all) }),
    );
    return recounted;
  } finally {
    bar.stop();
  }
}

function addRefreshToken(bot: Command, context: KeyContext): void {
  bot
    .command('refresh-token')
    .description('Give a bot a new API token and secret. The former ones stop working at once.')
    .argument('<bot>', 'bot id')
    .option('--json', jsonHelp)
    .action(async (botId: string, { json }: { json?: boolean }) => {
      const making = { now: context.clock(), random: context.random };
      const pair = await context.withDatabase(async (sql) =>
        renewPair(sql, botId, { ...making, keys: await context.keys(sql) }),
      );
      context.out(json ? JSON.stringify({ botId, ...pair }) : lines(pairLines(pair)));
    });
}

function pairLines({ apiToken, apiSecret }: { apiToken: string; apiSecret: string }): Record<string, string> {
  return { 'API token (30 days)': apiToken, 'API secret': apiSecret };
}

function lines(named: Record<string, string>): string {
  return Object.entries(named)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
}

function toLine({ botId, name, timeZone, conversationGapSeconds, lineProgram }: Bot): string {
  return [botId, name, timeZone, `gap ${conversationGapSeconds} s`, lineProgram ?? ''].join('  ').trimEnd();
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('A whole number was expected.');
  return Number(text);
}
