/** A bot with a LINE and a WhatsApp channel. */
import { createBot } from '../../src/bots/bots.ts';
import { setChannel } from '../../src/bots/set-channel.ts';
import type { Sql } from '../../src/database/client.ts';
import { creationIn, type ShoalEnvironment } from '../harness/cli.ts';
import { lineDestination, lineSecret, metaSecret, whatsappNumberId } from '../harness/webhooks.ts';

/** Creates the bot in the environment's database and returns its id. */
export async function connectedBot(sql: Sql, environment: ShoalEnvironment): Promise<string> {
  const creation = await creationIn(sql, environment);
  const { botId } = await createBot(sql, { name: 'reliability', timeZone: 'Asia/Taipei' }, creation);
  const line = { platform: 'line', secret: lineSecret, accountId: lineDestination } as const;
  const whatsapp = { platform: 'whatsapp', secret: metaSecret, accountId: whatsappNumberId } as const;
  await setChannel(sql, { botId, ...line }, creation);
  await setChannel(sql, { botId, ...whatsapp, verifyToken: 'v' }, creation);
  return botId;
}
