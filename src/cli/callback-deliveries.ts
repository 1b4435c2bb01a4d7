/**
 * `shoal callback deliveries`: what was told, what waits, what was given up and why, and the way back for it.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import { findBot } from '../bots/bots.ts';
import { Refusal } from '../errors.ts';
import {
  type Attempt,
  findNotice,
  type ListedNotice,
  listNotices,
  type NoticeState,
  noticeStates,
  replayNotices,
} from '../webhooks-out/log.ts';
import type { CommandContext } from './context.ts';

/** Adds the commands to `shoal callback`. */
export function addDeliveryCommands(callback: Command, context: CommandContext): void {
  const deliveries = new Command('deliveries').description(
    'What is told at the address, and each attempt: list, show, replay.',
  );
  callback.addCommand(deliveries);
  addList(deliveries, context);
  addShow(deliveries, context);
  addReplay(deliveries, context);
}

type ListOptions = { state?: NoticeState | 'any'; limit?: number; before?: number; json?: boolean };

function addList(deliveries: Command, context: CommandContext): void {
  deliveries
    .command('list')
    .description('List notices, newest first.')
    .argument('<bot>', 'bot id')
    .addOption(
      new Option('--state <state>', 'where they stand').choices([...noticeStates, 'any']).default('any'),
    )
    .option('--limit <count>', 'at most so many', wholeNumber, 50)
    .option('--before <notice>', 'only those before this one, for the next page', noticeNumber)
    .option('--json', 'print one JSON object')
    .action(async (botId: string, { state = 'any', limit = 50, before, json }: ListOptions) => {
      const notices = await context.withDatabase(async (sql) => {
        await findBot(sql, botId);
        return listNotices(sql, botId, {
          state: state === 'any' ? null : state,
          limit,
          beforeId: before ?? null,
        });
      });
      context.out(json ? JSON.stringify({ botId, notices }) : notices.map(toLine).join('\n') || 'None.');
    });
}

function addShow(deliveries: Command, context: CommandContext): void {
  deliveries
    .command('show')
    .description('Show a notice with each attempt to tell it.')
    .argument('<bot>', 'bot id')
    .argument('<notice>', 'its number, or the webhook-id that the receiver got', noticeNumber)
    .option('--json', 'print one JSON object')
    .action(async (botId: string, noticeId: number, { json }: { json?: boolean }) => {
      const notice = await context.withDatabase((sql) => findNotice(sql, botId, noticeId));
      if (!notice) throw new Refusal('INPUT_INVALID', `Bot ${botId} has no notice ${noticeId}.`);
      const { attempts, ...listed } = notice;
      const text = [toLine(listed), JSON.stringify(listed.data), ...attempts.map(attemptLine)].join('\n');
      context.out(json ? JSON.stringify({ botId, ...notice }) : text);
    });
}

function addReplay(deliveries: Command, context: CommandContext): void {
  deliveries
    .command('replay')
    .description(
      'Tell notices again, with the same ids: those named, or all that were given up. One that waits for its next attempt gets it now.',
    )
    .argument('<bot>', 'bot id')
    .argument(
      '[notices...]',
      'their numbers, or webhook-ids',
      (text, before: number[]) => [...before, noticeNumber(text)],
      [],
    )
    .option('--all-given-up', 'all that were given up')
    .option('--json', 'print one JSON object')
    .action(
      async (
        botId: string,
        named: number[],
        { allGivenUp, json }: { allGivenUp?: boolean; json?: boolean },
      ) => {
        if (named.length > 0 === (allGivenUp === true)) {
          throw new Refusal('INPUT_INVALID', 'Name the notices, or give --all-given-up.');
        }
        const replayed = await context.withDatabase(async (sql) => {
          await findBot(sql, botId);
          return replayNotices(sql, botId, allGivenUp ? null : named, { now: context.clock() });
        });
        context.out(
          json
            ? JSON.stringify({ botId, replayed })
            : `${replayed} put back; a running server tells them now.`,
        );
      },
    );
}

function toLine({ webhookId, happenedAt, type, contactId, state, dueAt, problem }: ListedNotice): string {
  const parts = [
    webhookId,
    happenedAt.toISOString(),
    type,
    contactId,
    state,
    dueAt === null ? '' : `due ${dueAt.toISOString()}`,
    problem ?? '',
  ];
  return parts.filter((part) => part !== '').join('  ');
}

function attemptLine({ attemptedAt, ms, status, problem, excerpt }: Attempt): string {
  const parts = [attemptedAt.toISOString(), `${ms} ms`, problem ?? `told, answered ${status}`, excerpt ?? ''];
  return parts.filter((part) => part !== '').join('  ');
}

function noticeNumber(text: string): number {
  const [, number = text] = /^msg_(\d+)_[0-9a-f]+$/.exec(text) ?? [];
  return wholeNumber(number);
}

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('A whole number was expected.');
  return Number(text);
}
