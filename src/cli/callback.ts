/**
 * `shoal callback`: the endpoint of a bot's outgoing webhooks. The signing secret is shown once, by the command that creates it.
 */
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
import type { ShoalCommand } from './command.ts';
import type { Context } from './context.ts';

export type CallbackContext = Pick<
  Context,
  'withDatabase' | 'clock' | 'random' | 'out' | 'log' | 'keys' | 'config'
>;

/** Adds the commands. */
export function register(program: ShoalCommand, context: CallbackContext): void {
  const callback = program.add(
    'callback',
    "The endpoint of a bot's outgoing webhooks: set, show, rotate, remove, deliveries.",
  );
  addSet(callback, context);
  callback
    .addForBot('show', 'Show the endpoint and its state, without the secret.')
    .answer((botId: string) => async (sql) => {
      await findBot(sql, botId);
      const endpoint = await findCallback(sql, botId, context.clock());
      return { json: { botId, callback: endpoint }, text: endpoint ? renderEndpoint(endpoint) : 'None.' };
    });
  addRotate(callback, context);
  callback
    .addForBot('remove', 'Stop sending, and give up waiting messages. Keeps the log and deletes the secret.')
    .answer((botId: string) => async (sql) => {
      const removed = await removeCallback(sql, botId, { now: context.clock() });
      if (!removed) throw noCallback(botId);
      return { json: { botId, removed }, text: 'Removed.' };
    });
  addDeliveryCommands(callback, context);
}

function addSet(callback: ShoalCommand, context: CallbackContext): void {
  callback
    .addForBot(
      'set',
      'Set or change the address, and enable a disabled endpoint. Creates and shows a secret the first time; a new address keeps it.',
    )
    .argument('<url>', 'https://… or http://…')
    .answer((botId: string, url: string) => {
      const gate = openGate({ allowPrivate: context.config().callbackPrivate });
      const creation = { now: context.clock(), random: context.random, gate };
      return async (sql) => {
        const { secret } = await setCallback(
          sql,
          { botId, url },
          { ...creation, keys: await context.keys(sql) },
        );
        return secret === null
          ? { json: { botId, url }, text: 'Set. The secret is unchanged.' }
          : { json: { botId, url, secret }, text: `Set. Secret, shown only once: ${secret}` };
      };
    });
}

function addRotate(callback: ShoalCommand, context: CallbackContext): void {
  callback
    .addForBot('rotate', 'Create a new secret and show it once. The previous one stays valid for 7 days.')
    .option('--retire-secret', 'revoke the previous secret at once')
    .answer((botId: string, { retireSecret = false }: { retireSecret?: boolean }) => async (sql) => {
      const creation = { now: context.clock(), random: context.random, keys: await context.keys(sql) };
      const rotated = await rotateSecret(sql, { botId, retire: retireSecret }, creation);
      const previous = rotated.previousSecretUntil
        ? `The previous one is valid until ${rotated.previousSecretUntil.toISOString()}.`
        : 'The previous one is revoked.';
      return {
        json: { botId, ...rotated },
        text: `Secret, shown only once: ${rotated.secret}\n${previous}`,
      };
    });
}

function renderEndpoint({ url, disabledAt, previousSecretUntil, waiting }: Callback): string {
  const state =
    disabledAt === null
      ? 'in use'
      : `disabled since ${disabledAt.toISOString()}: the endpoint answered 410. \`shoal callback set\` enables it again.`;
  const previous = previousSecretUntil
    ? [`previous secret valid until ${previousSecretUntil.toISOString()}`]
    : [];
  return [url, state, `${waiting} waiting`, ...previous].join('\n');
}
