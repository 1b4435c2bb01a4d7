/**
 * `shoal send`: messages to many contacts. The servers send them; this command creates, follows and changes sends.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { findBot } from '../bots/bots.ts';
import type { Sql } from '../database/client.ts';
import { invalidInput } from '../errors.ts';
import { readQuota } from '../line/quota.ts';
import { type PlatformName, platformNames } from '../platforms/platform.ts';
import { newId } from '../random.ts';
import { previewAudience } from '../sends/plan.ts';
import { countNamed, listRecipients, type RecipientState, recipientStates } from '../sends/recipients.ts';
import {
  createSend,
  findRepeated,
  findSend,
  listSends,
  type NewSend,
  requestKey,
  type Send,
  type SendState,
  setState,
} from '../sends/sends.ts';
import { listTemplates } from '../sends/templates.ts';
import { secondMs } from '../time.ts';
import { renderLine, renderList, type ShoalCommand, wholeNumber, wholeNumberIn } from './command.ts';
import type { CommandContext } from './context.ts';
import { withProgress } from './progress.ts';
import {
  type AudienceOptions,
  addAudienceOptions,
  addMessageOptions,
  addTimeOptions,
  audienceOf,
  checkMessageOptions,
  type MessageOptions,
  messageOf,
  readAudience,
  type TimeOptions,
  timesOf,
} from './send-options.ts';
import { untilStopped } from './until-stopped.ts';

const by = 'command line';
const randomKeyLength = 22;
const listedMax = 1_000;
const lookMs = secondMs;

type CreateOptions = AudienceOptions & MessageOptions & TimeOptions & { name?: string; key?: string };

/** Adds the commands. */
export function register(program: ShoalCommand, context: CommandContext): void {
  const send = program.add(
    'send',
    'Messages to many contacts: preview, create, follow, pause, resume, stop.',
  );
  addPreview(send, context);
  addCreate(send, context);
  addReads(send, context);
  const changes = [
    ['pause', 'Pause a send. Calls that run finish.', 'paused'],
    ['resume', 'Resume a paused send.', 'running'],
    ['stop', 'Stop a send for good. Recipients without a call stay pending.', 'stopped'],
  ] as const;
  for (const [name, description, state] of changes) {
    addForSend(send, name, description).answer((botId: string, sendId: number) => async (sql) => {
      await findBot(sql, botId);
      return answerOf(await setState(sql, { botId, sendId }, { state, now: context.clock() }));
    });
  }
}

function addForSend(send: ShoalCommand, name: string, description: string): ShoalCommand {
  return send.addForBot(name, description).argument('<send>', 'number of the send', wholeNumber);
}

function addForAudience(send: ShoalCommand, name: string, description: string): ShoalCommand {
  return addAudienceOptions(
    send.addForBot(name, description).argument('<platform>', platformNames.join(', ')),
  );
}

function addPreview(send: ShoalCommand, { clock }: CommandContext): void {
  addForAudience(
    send,
    'preview',
    'Count whom a send would reach now, and what it leaves of LINE’s quota.',
  ).answer(async (botId: string, platformName: string, options: AudienceOptions) => {
    const platform = platformOf(platformName);
    const audience = await readAudience(options);
    return async (sql) => {
      const { timeZone } = await findBot(sql, botId);
      const now = clock();
      const to = await audienceOf(sql, { botId, platform, audience, zone: options.zone ?? timeZone });
      const counts =
        'filter' in to
          ? await previewAudience(sql, { botId, platform, filter: to.filter, now })
          : await countNamed(sql, botId, to.contactIds);
      const unknownContacts = 'filter' in to ? 0 : to.unknownContacts;
      const quota = platform === 'line' ? await readQuota(sql, botId, now) : null;
      const remaining =
        quota?.quota == null || quota.used === null ? null : quota.quota - quota.used - counts.recipients;
      const text = renderLine(
        `${counts.recipients} recipients`,
        `${counts.blocked} left out (blocked)`,
        unknownContacts > 0 && `${unknownContacts} unknown`,
        remaining !== null && `${remaining} of LINE's quota left`,
      );
      return { json: { botId, platform, ...counts, unknownContacts, quota, remaining }, text };
    };
  });
}

function addCreate(send: ShoalCommand, { clock, random }: CommandContext): void {
  const create = addForAudience(send, 'create', 'Create a send. Needs --text or --template.');
  addTimeOptions(addMessageOptions(create))
    .option('--name <name>', 'name of the send (default: the time)')
    .option('--key <key>', 'idempotency key: the same key creates one send (default: a random one)')
    .answer(async (botId: string, platformName: string, options: CreateOptions) => {
      const platform = platformOf(platformName);
      checkMessageOptions(options);
      const audience = await readAudience(options);
      const { key: text = newId(random, randomKeyLength), contacts: _file, ...content } = options;
      const key = requestKey(text, { platform, audience, ...content });
      return async (sql) => {
        const now = clock();
        const { timeZone } = await findBot(sql, botId);
        // Before the contacts and the template are looked up: they may have changed since the first call.
        const earlier = await findRepeated(sql, botId, key);
        if (earlier !== null) return answerOf(earlier);
        const { name = new Date(now).toISOString(), zone = timeZone } = options;
        const message = await messageOf(sql, { botId, platform, options });
        const to = await audienceOf(sql, { botId, platform, audience, zone });
        if ('contactIds' in to && to.contactIds.length === 0)
          throw invalidInput('None of the contacts is known on this platform.');
        const created: NewSend = {
          ...{ botId, name, platform, message, to, zone, key, createdBy: by },
          ...timesOf(options, zone),
        };
        return answerOf((await createSend(sql, created, { now })).send);
      };
    });
}

function addReads(send: ShoalCommand, context: CommandContext): void {
  send
    .addForBot('list', 'List the latest sends.')
    .option('--limit <number>', 'how many', wholeNumberIn(1, listedMax), 20)
    .answer((botId: string, { limit }: { limit: number }) => async (sql) => {
      await findBot(sql, botId);
      const sends = await listSends(sql, botId, { limit, beforeId: null });
      return { json: { botId, sends }, text: renderList(sends, describe) };
    });
  send
    .addForBot('templates', 'List the message templates with their ids.')
    .answer((botId: string) => async (sql) => {
      await findBot(sql, botId);
      const templates = await listTemplates(sql, botId);
      const text = renderList(templates, ({ templateId, name, content }) =>
        renderLine(templateId, name, content.text ?? content.whatsAppTemplate?.name),
      );
      return { json: { botId, templates }, text };
    });
  addForSend(send, 'show', 'Show a send with its numbers.')
    .option(
      '--follow',
      'show the progress until the send no longer runs; Ctrl-C ends the command, not the send',
    )
    .answer((botId: string, sendId: number, { follow = false }: { follow?: boolean }) => async (sql) => {
      await findBot(sql, botId);
      if (follow) await followSend(context, sql, { botId, sendId });
      return answerOf(await findSend(sql, { botId, sendId }));
    });
  addForSend(send, 'recipients', 'List the recipients of a send with their results.')
    .choice('--state <state>', 'only recipients in this state', recipientStates)
    .option('--after <position>', 'only recipients after this position', wholeNumber)
    .option('--limit <number>', 'how many', wholeNumberIn(1, listedMax), 100)
    .answer(
      (
        botId: string,
        sendId: number,
        { state, after, limit }: { state?: RecipientState; after?: number; limit: number },
      ) =>
        async (sql) => {
          const found = await findSend(sql, { botId, sendId });
          const recipients = await listRecipients(sql, found, {
            state: state ?? null,
            after: after ?? null,
            limit,
          });
          const text = renderList(
            recipients,
            ({ position, contactId, name, state: result, code, ...times }) =>
              renderLine(
                ...[position, contactId, result, code, name],
                ['delivered', times.deliveredAt],
                ['read', times.readAt],
              ),
          );
          return { json: { botId, sendId, recipients }, text };
        },
    );
}

/** Shows the progress until the send has no more work, or the command is stopped. */
async function followSend(
  context: CommandContext,
  sql: Sql,
  key: { botId: string; sendId: number },
): Promise<void> {
  await untilStopped((signal) =>
    withProgress(context, 'recipients', async (progress) => {
      while (!signal.aborted) {
        const { recipients, pending, state } = await findSend(sql, key);
        progress(recipients - pending, recipients);
        if (state !== 'running') return;
        await pause(lookMs, undefined, { signal }).catch(() => undefined);
      }
    }),
  );
}

function platformOf(text: string): PlatformName {
  const platform = platformNames.find((name) => name === text);
  if (platform === undefined) throw invalidInput(`The platform must be ${platformNames.join(', ')}.`);
  return platform;
}

function answerOf(send: Send) {
  return { json: send, text: describe(send) };
}

function describe(send: Send): string {
  const { sendId, platform, state, name, recipients, pending, failure } = send;
  const percentage = recipients === 0 ? 0 : Math.floor(((recipients - pending) / recipients) * 100);
  const numbers = (['accepted', 'refused', 'unknown', 'blocked', 'delivered', 'read', 'pending'] as const)
    .filter((number) => send[number] > 0)
    .map((number) => `${send[number]} ${number}`);
  return renderLine(
    ...[sendId, platform, stateText(state, percentage), name],
    ...[`${recipients} recipients`, numbers.join(', '), failure],
    state === 'running' && ['starts', send.startsAt],
  );
}

function stateText(state: SendState, percentage: number): string {
  return state === 'done' ? 'done' : `${state} ${percentage} %`;
}
