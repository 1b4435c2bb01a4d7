/**
 * `shoal callback`: where a bot's changes are told. The secret is told once, by the command that makes it.
 */
import { Command } from 'commander';
import { findBot } from '../bots/bots.ts';
import { openGate } from '../webhooks-out/addresses.ts';
import {
  type Callback,
  findCallback,
  noCallback,
  removeCallback,
  rotateSecret,
  setCallback,
} from '../webhooks-out/endpoints.ts';
import { addDeliveryCommands } from './callback-deliveries.ts';
import type { Context } from './context.ts';

export type CallbackContext = Pick<
  Context,
  'withDatabase' | 'clock' | 'random' | 'out' | 'log' | 'keys' | 'config'
>;

type Json = { json?: boolean };

const jsonHelp = 'print one JSON object';

/** Adds the commands. */
export function register(program: Command, context: CallbackContext): void {
  const callback = new Command('callback').description(
    "The address at which a bot's changes are told: set, show, rotate, remove, deliveries.",
  );
  program.addCommand(callback);
  addSet(callback, context);
  addShow(callback, context);
  addRotate(callback, context);
  addRemove(callback, context);
  addDeliveryCommands(callback, context);
}

function addSet(callback: Command, context: CallbackContext): void {
  botCommand(
    callback,
    'set',
    'Set the address, or another one; switches one on again that was disabled. The first time a secret is made and told; it stays when the address changes.',
  )
    .argument('<url>', 'https://… or http://…')
    .action(async (botId: string, url: string, { json }: Json) => {
      const gate = openGate({ allowPrivate: context.config().callbackPrivate });
      const making = { now: context.clock(), random: context.random, gate };
      const { secret } = await context.withDatabase(async (sql) =>
        setCallback(sql, { botId, url }, { ...making, keys: await context.keys(sql) }),
      );
      const told = secret === null ? 'Set. The secret stays.' : `Set. Secret, told this once: ${secret}`;
      context.out(json ? JSON.stringify({ botId, url, ...(secret === null ? {} : { secret }) }) : told);
    });
}

function addShow(callback: Command, context: CallbackContext): void {
  botCommand(callback, 'show', 'Show the address and how it stands, without the secret.').action(
    async (botId: string, { json }: Json) => {
      const found = await context.withDatabase(async (sql) => {
        await findBot(sql, botId);
        return findCallback(sql, botId, context.clock());
      });
      context.out(json ? JSON.stringify({ botId, callback: found }) : found ? toText(found) : 'None.');
    },
  );
}

function addRotate(callback: Command, context: CallbackContext): void {
  botCommand(
    callback,
    'rotate',
    'Make a new secret and tell it this once. The one before stays valid for 7 days.',
  )
    .option('--retire-secret', 'end the secret before now')
    .action(async (botId: string, { retireSecret, json }: Json & { retireSecret?: boolean }) => {
      const making = { now: context.clock(), random: context.random };
      const made = await context.withDatabase(async (sql) =>
        rotateSecret(
          sql,
          { botId, retire: retireSecret === true },
          { ...making, keys: await context.keys(sql) },
        ),
      );
      const until = made.previousSecretUntil?.toISOString();
      const former =
        until === undefined ? 'The former one has ended.' : `The former one is valid until ${until}.`;
      context.out(
        json ? JSON.stringify({ botId, ...made }) : `Secret, told this once: ${made.secret}\n${former}`,
      );
    });
}

function addRemove(callback: Command, context: CallbackContext): void {
  botCommand(
    callback,
    'remove',
    'Tell nothing any more, and give up what is waiting. The log stays; the secret goes.',
  ).action(async (botId: string, { json }: Json) => {
    const removed = await context.withDatabase((sql) => removeCallback(sql, botId, { now: context.clock() }));
    if (!removed) throw noCallback(botId);
    context.out(json ? JSON.stringify({ botId, removed }) : 'Removed.');
  });
}

function botCommand(callback: Command, name: string, description: string): Command {
  return callback
    .command(name)
    .description(description)
    .argument('<bot>', 'bot id')
    .option('--json', jsonHelp);
}

function toText({ url, disabledAt, previousSecretUntil, waiting }: Callback): string {
  const state =
    disabledAt === null
      ? 'in use'
      : `disabled since ${disabledAt.toISOString()}: the receiver answered 410. \`shoal callback set\` switches it on again.`;
  const former = previousSecretUntil
    ? [`former secret valid until ${previousSecretUntil.toISOString()}`]
    : [];
  return [url, state, `${waiting} waiting`, ...former].join('\n');
}
