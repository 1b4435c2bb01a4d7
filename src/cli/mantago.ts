/**
 * `shoal mantago`: moving in from MantaGo.
 */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { findBot } from '../bots/bots.ts';
import type { Sql } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import { toField } from '../exports/format.ts';
import { callsPerMinuteMax } from '../mantago/connections.ts';
import {
  disconnect,
  encodedIdsMax,
  type MantagoImport,
  readImport,
  startImport,
  stopImport,
} from '../mantago/imports.ts';
import { MantagoClient, readAddress } from '../mantago/mantago-client.ts';
import { countNames, neverCarried, problemReasons } from '../mantago/names.ts';
import { countProblems, listProblems, type Problem } from '../mantago/problems.ts';
import { type ImportParts, runImport } from '../mantago/steps.ts';
import { openGate } from '../webhooks-out/addresses.ts';
import { type Answer, type ShoalCommand, wholeNumberIn } from './command.ts';
import type { Context } from './context.ts';
import { addCompare } from './mantago-compare.ts';
import { fileOutput } from './output.ts';
import { withProgress } from './progress.ts';
import { untilStopped } from './until-stopped.ts';

type Options = {
  from?: string;
  bot?: string;
  token?: string;
  secret?: string;
  ids?: string;
  callsPerMinute?: number;
};

/** The value is read from stdin. */
const fromInput = '-';
const reportPage = 1_000;

/** Adds the commands. `readInput` returns all of stdin. */
export function register(
  program: ShoalCommand,
  context: Context,
  readInput = () => text(process.stdin),
): void {
  const mantago = program.add(
    'mantago',
    'Moving in from MantaGo: import, status, stop, report, compare, disconnect.',
  );
  mantago
    .addForBot(
      'import',
      'Bring clients, tags, customers, points and figures over from MantaGo. Run it again to continue, or later to update. ' +
        'The connection is stored encrypted; omitted parts keep their value. docs/mantago.md describes the whole move.',
    )
    .option('--from <address>', "MantaGo's address, such as https://mantago.cc")
    .option('--bot <id>', "the bot's id at MantaGo: the last part of its dashboard's address")
    .option(
      '--token <token>',
      `API token of the bot; ${fromInput} reads it from stdin (SHOAL_MANTAGO_TOKEN, or _FILE)`,
    )
    .option(
      '--secret <secret>',
      `secret key of the bot; ${fromInput} reads it from stdin, after the token (SHOAL_MANTAGO_SECRET, or _FILE)`,
    )
    .option(
      '--ids <file>',
      "file with MantaGo's encoded client ids, one a line, if its list does not contain them",
    )
    .option(
      '--calls-per-minute <number>',
      'calls to MantaGo per minute (SHOAL_MANTAGO_CALLS_PER_MINUTE, default 60)',
      wholeNumberIn(1, callsPerMinuteMax),
    )
    .print((botId: string, options: Options) => importAll(context, botId, options, readInput));
  mantago
    .addForBot('status', 'Show the import.')
    .answer((botId: string) => async (sql) => toAnswer(sql, await walkOf(sql, botId, context)));
  mantago
    .addForBot('stop', 'Stop the import. What it brought stays; "shoal mantago import" continues it.')
    .answer((botId: string) => async (sql) => {
      await findBot(sql, botId);
      return toAnswer(sql, await stopImport(sql, botId, context));
    });
  mantago
    .addForBot('report', 'List what the import could not bring over, and why.')
    .option('--out <file>', 'write it as CSV to this file')
    .answer((botId: string, { out }: { out?: string }) => async (sql) => {
      await walkOf(sql, botId, context);
      return out === undefined ? listReport(sql, botId) : writeReport(sql, botId, out);
    });
  addCompare(mantago, context);
  mantago
    .addForBot(
      'disconnect',
      'Delete the connection with its pair, the report, and the daily comparison. What was brought over stays.',
    )
    .answer((botId: string) => async (sql) => {
      await disconnect(sql, botId);
      return { json: { botId, connected: false }, text: 'Disconnected from MantaGo.' };
    });
}

async function walkOf(sql: Sql, botId: string, { clock }: Context): Promise<MantagoImport> {
  await findBot(sql, botId);
  return readImport(sql, botId, clock());
}

async function importAll(
  context: Context,
  botId: string,
  options: Options,
  readInput: () => Promise<string>,
): Promise<Answer> {
  const pair = await readPair(context, options, readInput);
  // Other users of the machine see the arguments of a process. Its title replaces them.
  if (options.token !== undefined || options.secret !== undefined) process.title = 'shoal mantago import';
  const config = context.config();
  const gate = openGate({ allowPrivate: config.callbackPrivate });
  const encodedIds = options.ids === undefined ? [] : await readIds(options.ids);
  const address = options.from === undefined ? undefined : await readAddress(options.from, gate);
  const { clock, random } = context;
  return untilStopped((stop) =>
    context.withDatabase(async (sql) => {
      await findBot(sql, botId);
      const client = new MantagoClient(gate, clock);
      const parts: ImportParts = { sql, keys: await context.keys(sql), client, clock, random };
      try {
        const callsPerMinute = options.callsPerMinute ?? config.mantagoCallsPerMinute;
        const connection = { address, theirBotId: options.bot, ...pair, callsPerMinute };
        await startImport(sql, { botId, ...connection, encodedIds }, parts);
        return await toAnswer(sql, await follow(context, parts, botId, stop));
      } finally {
        client.close();
      }
    }),
  );
}

/** Steps the walk, with a bar and a forecast; each new problem is a line of its own. */
function follow(
  context: Context,
  parts: ImportParts,
  botId: string,
  stop: AbortSignal,
): Promise<MantagoImport> {
  let shown: string | null = null;
  return withProgress(context, 'clients', (progress) =>
    runImport(parts, botId, {
      stop,
      onStep({ counts, expected, secondsLeft, problem, state }) {
        const clients = counts.clients ?? 0;
        progress(clients, Math.max(expected ?? 0, clients), secondsLeft ?? undefined);
        if (problem !== null && problem !== shown && state === 'running')
          context.log(`${problem} Trying again.`);
        shown = problem;
      },
    }),
  );
}

/** The pair from the options, from stdin (token, then secret, one a line), or from the environment; undefined: as stored. */
async function readPair(
  context: Context,
  { token, secret }: Options,
  readInput: () => Promise<string>,
): Promise<{ token: string | undefined; secret: string | undefined }> {
  const { mantagoToken, mantagoSecret } = context.config();
  const isRead = token === fromInput || secret === fromInput;
  const lines = isRead ? (await readInput()).split(/\r?\n/).map((line) => line.trim()) : [];
  const take = (value: string | undefined, fallback: string | null) =>
    (value === fromInput ? lines.shift() : value) ?? fallback ?? undefined;
  return { token: take(token, mantagoToken), secret: take(secret, mantagoSecret) };
}

async function readIds(path: string): Promise<string[]> {
  const content = await readFile(path, 'utf8').catch((error: Error) => {
    throw new Refusal('INPUT_INVALID', `${path} cannot be read: ${error.message}.`);
  });
  const ids = content.split(/\r?\n/).map((line) => line.trim());
  const encodedIds = [...new Set(ids)].filter((id) => id !== '');
  if (encodedIds.length <= encodedIdsMax) return encodedIds;
  throw new Refusal('INPUT_INVALID', `${path} has more than ${encodedIdsMax} ids. Split it.`);
}

async function toAnswer(sql: Sql, walk: MantagoImport): Promise<Answer> {
  const { botId, state, run, counts, problem, expected, phase } = walk;
  const problems = await countProblems(sql, botId);
  const numbers = countNames.flatMap((name) =>
    counts[name] ? [`  ${countTitles[name]}: ${counts[name]}`] : [],
  );
  const reasons = problems.map(({ reason, count }) => `  ${count} × ${problemReasons[reason] ?? reason}`);
  const ends: Record<MantagoImport['state'], string> = {
    done: 'It is complete. Run it again later to update.',
    running: `It runs (${phase}, ${counts.clients ?? 0} of ${expected ?? 'unknown'} clients). A running server continues it, or run it again.`,
    stopped: `It is stopped. ${problem ?? ''} Run it again to continue.`.replace('  ', ' '),
  };
  const text = [
    `Import ${run} from MantaGo. ${ends[state]}`,
    ...numbers,
    ...(reasons.length > 0 ? ['Not brought over ("shoal mantago report" has the list):', ...reasons] : []),
    'Never brought over:',
    ...Object.values(neverCarried).map((line) => `  ${line}`),
  ].join('\n');
  return { json: { ...walk, problems, neverCarried }, text, isFailure: state !== 'done' && problem !== null };
}

const countTitles: Record<(typeof countNames)[number], string> = {
  clients: 'clients read',
  contactsAdded: 'contacts added',
  profiles: 'profiles changed',
  customers: 'customers bound',
  formerIds: 'old ids added',
  tags: 'tags added',
  assignments: 'tags assigned',
  pointContacts: 'contacts asked for points',
  pointEntries: 'entries of points',
  points: 'points',
  days: 'days of followers',
  answers: 'analysis answers stored',
};

async function* pagesOfReport(sql: Sql, botId: string): AsyncGenerator<Problem[]> {
  for (let after: Problem | null = null; ; ) {
    const page: Problem[] = await listProblems(sql, botId, { after, limit: reportPage });
    yield page;
    after = page.at(-1) ?? null;
    if (page.length < reportPage) return;
  }
}

async function listReport(sql: Sql, botId: string): Promise<Answer> {
  const problems: Problem[] = [];
  for await (const page of pagesOfReport(sql, botId)) problems.push(...page);
  const lines = problems.map(({ reason, platform, subject, detail }) =>
    [platform, subject, `${problemReasons[reason]} ${detail}`]
      .filter((part) => part !== '')
      .join('  ')
      .trim(),
  );
  return { json: { botId, problems, neverCarried }, text: lines.join('\n') || 'Nothing was left out.' };
}

async function writeReport(sql: Sql, botId: string, path: string): Promise<Answer> {
  const output = await fileOutput(path);
  let rows = 0;
  try {
    await output.write('reason,platform,subject,detail,meaning\n');
    for await (const page of pagesOfReport(sql, botId)) {
      const lines = page.map(({ reason, platform, subject, detail }) =>
        [reason, platform, subject, detail, problemReasons[reason]].map(toField).join(','),
      );
      rows += page.length;
      if (lines.length > 0) await output.write(`${lines.join('\n')}\n`);
    }
    await output.finish();
  } catch (error) {
    await output.discard();
    throw error;
  }
  return { json: { botId, file: path, rows }, text: `${rows} rows written to ${path}.` };
}
