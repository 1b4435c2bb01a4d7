/**
 * `shoal bot`: bots and their API pairs. The secret of a pair is shown once, by the command that creates it.
 */
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
import { renderLine, renderList, type ShoalCommand, wholeNumber } from './command.ts';
import type { CommandContext, Context } from './context.ts';
import { withProgress } from './progress.ts';

export type KeyContext = CommandContext & Pick<Context, 'keys'>;

const noProgram = 'none';

type CreateOptions = { name: string; timeZone: string };
type SetOptions = {
  name?: string;
  timeZone?: string;
  conversationGap?: number;
  lineProgram?: LineProgram | typeof noProgram;
  json?: boolean;
};

/** Adds the commands. */
export function register(program: ShoalCommand, context: KeyContext): void {
  const bot = program.add('bot', 'Bots: create, list, set, refresh-token.');
  bot
    .add('create', 'Create a bot with its API token and secret. The secret is shown only once.')
    .requiredOption('--name <name>', 'name of the bot')
    .option('--time-zone <zone>', "IANA name; decides an event's day", 'Asia/Taipei')
    .answer(({ name, timeZone }: CreateOptions) => async (sql) => {
      const creation = { now: context.clock(), random: context.random, keys: await context.keys(sql) };
      const created = await createBot(sql, { name, timeZone }, creation);
      return { json: created, text: `Bot id: ${created.botId}\n${renderPair(created)}` };
    });
  bot.add('list', 'List the bots.').answer(() => async (sql) => {
    const bots = await listBots(sql);
    return { json: { bots }, text: renderList(bots, renderBot) };
  });
  bot
    .addForBot('set', 'Change a bot. A change of time zone or conversation gap recounts its figures.')
    .option('--name <name>', 'name of the bot')
    .option('--time-zone <zone>', 'IANA name')
    .option(
      '--conversation-gap <seconds>',
      'a longer pause between two messages starts a new conversation',
      wholeNumber,
    )
    .choice('--line-program <program>', `LINE's plan; ${noProgram}: derive it from the quota`, [
      ...linePrograms,
      noProgram,
    ])
    .answer((botId: string, options: SetOptions) => {
      const changes = toChanges(options);
      if (Object.keys(changes).length === 0) throw new Refusal('INPUT_INVALID', 'Nothing to change.');
      return async (sql) => {
        const { recounted } = await withProgress(context, 'contacts', (progress) =>
          updateBot(sql, botId, changes, { progress }),
        );
        return {
          json: { botId, recounted },
          text: recounted ? 'Changed. The figures were recounted.' : 'Changed.',
        };
      };
    });
  bot
    .addForBot(
      'refresh-token',
      'Create a new API token and secret for a bot. The previous ones stop working at once.',
    )
    .answer((botId: string) => async (sql) => {
      const creation = { now: context.clock(), random: context.random, keys: await context.keys(sql) };
      const pair = await renewPair(sql, botId, creation);
      return { json: { botId, ...pair }, text: renderPair(pair) };
    });
}

function toChanges({ json: _, conversationGap, lineProgram, ...changes }: SetOptions): BotChanges {
  return {
    ...changes,
    ...(conversationGap === undefined ? {} : { conversationGapSeconds: conversationGap }),
    ...(lineProgram === undefined ? {} : { lineProgram: lineProgram === noProgram ? null : lineProgram }),
  };
}

function renderPair({ apiToken, apiSecret }: { apiToken: string; apiSecret: string }): string {
  return `API token (30 days): ${apiToken}\nAPI secret: ${apiSecret}`;
}

function renderBot({ botId, name, timeZone, conversationGapSeconds, lineProgram }: Bot): string {
  return renderLine(botId, name, timeZone, `gap ${conversationGapSeconds} s`, lineProgram);
}
