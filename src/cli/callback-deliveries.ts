/**
 * `shoal callback deliveries`: the log of webhook messages with their attempts, and their replay.
 */
import { findBot } from '../bots/bots.ts';
import { Refusal } from '../errors.ts';
import {
  type Attempt,
  findMessage,
  type ListedMessage,
  listMessages,
  type MessageState,
  messageStates,
  replayMessages,
} from '../webhooks-out/log.ts';
import { renderLine, renderList, type ShoalCommand, wholeNumber } from './command.ts';
import type { CommandContext } from './context.ts';

type ListOptions = { state: MessageState | 'any'; limit: number; before?: number };

/** Adds the commands to `shoal callback`. */
export function addDeliveryCommands(callback: ShoalCommand, context: CommandContext): void {
  const deliveries = callback.add(
    'deliveries',
    'Webhook messages and the attempts to send them: list, show, replay.',
  );
  deliveries
    .addForBot('list', 'List webhook messages, newest first.')
    .choice('--state <state>', 'only messages in this state', [...messageStates, 'any'], 'any')
    .option('--limit <count>', 'maximum number of messages', wholeNumber, 50)
    .option('--before <message>', 'only messages before this one, for the next page', messageNumber)
    .answer((botId: string, { state, limit, before }: ListOptions) => async (sql) => {
      await findBot(sql, botId);
      const page = { state: state === 'any' ? null : state, limit, beforeId: before ?? null };
      const notices = await listMessages(sql, botId, page);
      return { json: { botId, notices }, text: renderList(notices, renderMessage) };
    });
  deliveries
    .addForBot('show', 'Show a webhook message with each attempt to send it.')
    .argument('<message>', 'its number, or its webhook-id', messageNumber)
    .answer((botId: string, noticeId: number) => async (sql) => {
      const notice = await findMessage(sql, botId, noticeId);
      if (!notice) throw new Refusal('INPUT_INVALID', `Bot ${botId} has no webhook message ${noticeId}.`);
      const { attempts, ...message } = notice;
      const lines = [renderMessage(message), JSON.stringify(message.data), ...attempts.map(renderAttempt)];
      return { json: { botId, ...notice }, text: lines.join('\n') };
    });
  addReplay(deliveries, context);
}

function addReplay(deliveries: ShoalCommand, context: CommandContext): void {
  deliveries
    .addForBot(
      'replay',
      'Send webhook messages again, with the same ids: the named ones, or all that were given up. A message that waits for its next attempt is sent at once.',
    )
    .argument(
      '[messages...]',
      'their numbers, or webhook-ids',
      (text, previous: number[]) => [...previous, messageNumber(text)],
      [],
    )
    .option('--all-given-up', 'all messages that were given up')
    .answer((botId: string, noticeIds: number[], { allGivenUp = false }: { allGivenUp?: boolean }) => {
      if (noticeIds.length > 0 === allGivenUp) {
        throw new Refusal('INPUT_INVALID', 'Name the webhook messages, or use --all-given-up.');
      }
      return async (sql) => {
        await findBot(sql, botId);
        const now = context.clock();
        const replayed = await replayMessages(sql, botId, allGivenUp ? null : noticeIds, { now });
        return {
          json: { botId, replayed },
          text: `Queued ${replayed} again. A running server sends them now.`,
        };
      };
    });
}

function renderMessage(message: ListedMessage): string {
  const { webhookId, happenedAt, type, contactId, state, dueAt, problem } = message;
  return renderLine(webhookId, happenedAt.toISOString(), type, contactId, state, ['due', dueAt], problem);
}

function renderAttempt({ attemptedAt, ms, status, problem, excerpt }: Attempt): string {
  return renderLine(attemptedAt.toISOString(), `${ms} ms`, problem ?? `sent, answered ${status}`, excerpt);
}

function messageNumber(text: string): number {
  const [, number = text] = /^msg_(\d+)_[0-9a-f]+$/.exec(text) ?? [];
  return wholeNumber(number);
}
