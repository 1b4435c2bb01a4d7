/** A bot with a LINE and a WhatsApp channel, created on the command line. */
import { type ShoalEnvironment, shoalJson } from '../harness/cli.ts';
import { lineDestination, lineSecret, metaSecret, whatsappNumberId } from '../harness/webhooks.ts';

/** Creates the bot and returns its id. */
export async function connectedBot(environment: ShoalEnvironment): Promise<string> {
  const { botId } = await shoalJson(environment, 'bot', 'create', '--name', 'reliability');
  const bot = String(botId);
  const line = ['--channel-secret', lineSecret, '--destination', lineDestination];
  await shoalJson(environment, 'channel', 'set', bot, 'line', ...line);
  const whatsapp = ['--phone-number-id', whatsappNumberId, '--app-secret', metaSecret, '--verify-token', 'v'];
  await shoalJson(environment, 'channel', 'set', bot, 'whatsapp', ...whatsapp);
  return bot;
}
