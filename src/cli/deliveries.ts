/**
 * `shoal deliveries`: what came in, what was set aside and why, and the way back for it.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import { findBot } from '../bots/bots.ts';
import { requirePerson } from '../contacts/contacts.ts';
import type { Sql } from '../database/client.ts';
import { Refusal } from '../errors.ts';
import {
  type DeliveryState,
  findDelivery,
  type ListedDelivery,
  listDeliveries,
  replayDeliveries,
} from '../inbox/deliveries.ts';
import { listDeliveriesOf } from '../inbox/deliveries-of-person.ts';
import { startReplay } from '../jobs/jobs.ts';
import type { Context } from './context.ts';
import { workOn } from './job.ts';

/** Adds the commands. */
export function register(program: Command, context: Context): void {
  const deliveries = new Command('deliveries').description('Deliveries as they came: list, show, replay.');
  program.addCommand(deliveries);
  addList(deliveries, context);
  addShow(deliveries, context);
  addReplay(deliveries, context);
}

type ListOptions = {
  state?: DeliveryState | 'any';
  contact?: string;
  limit?: number;
  before?: number;
  json?: boolean;
};

function addList(deliveries: Command, context: Context): void {
  deliveries
    .command('list')
    .description('List deliveries, newest first; those set aside unless --state or --contact says otherwise.')
    .argument('<bot>', 'bot id')
    .addOption(
      new Option('--state <state>', 'only in this state (default: set-aside; with --contact: any)').choices([
        'set-aside',
        'pending',
        'folded',
        'any',
      ]),
    )
    .option('--contact <id>', 'only those that name this contact, by its encoded client id')
    .option('--limit <count>', 'at most so many', wholeNumber, 50)
    .option('--before <id>', 'only those before this delivery, for the next page', wholeNumber)
    .option('--json', 'print one JSON object')
    .action(async (botId: string, { state, contact, limit = 50, before, json }: ListOptions) => {
      const asked = state ?? (contact === undefined ? 'set-aside' : 'any');
      const query = { state: asked === 'any' ? null : asked, limit, beforeId: before ?? null };
      const listed = await context.withDatabase(async (sql) => {
        await findBot(sql, botId);
        return contact === undefined
          ? listDeliveries(sql, botId, query)
          : listAllOf(sql, { botId, contactId: contact }, query);
      });
      context.out(json ? JSON.stringify({ botId, deliveries: listed }) : table(listed));
    });
}

/** Pages of one read are bounded by work, not by the limit: reads until the limit is reached or none is left. */
async function listAllOf(
  sql: Sql,
  { botId, contactId }: { botId: string; contactId: string },
  { state, limit, beforeId }: Parameters<typeof listDeliveriesOf>[3],
): Promise<ListedDelivery[]> {
  const person = await requirePerson(sql, botId, contactId);
  const listed: ListedDelivery[] = [];
  for (let before = beforeId; listed.length < limit; ) {
    const query = { state, limit: limit - listed.length, beforeId: before };
    const page = await listDeliveriesOf(sql, botId, person, query);
    listed.push(...page.deliveries);
    if (page.nextBeforeId === null) break;
    before = page.nextBeforeId;
  }
  return listed;
}

function table(listed: readonly ListedDelivery[]): string {
  if (listed.length === 0) return 'None.';
  return listed
    .map(({ deliveryId, receivedAt, platform, bytes, state, reason }) =>
      [deliveryId, receivedAt.toISOString(), platform, `${bytes} bytes`, state, reason ?? '']
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function addShow(deliveries: Command, context: Context): void {
  deliveries
    .command('show')
    .description('Print the body of a delivery, byte for byte as it came.')
    .argument('<bot>', 'bot id')
    .argument('<delivery>', 'its number', wholeNumber)
    .option('--json', 'print one JSON object; the body in base64')
    .action(async (botId: string, deliveryId: number, { json }: { json?: boolean }) => {
      const delivery = await context.withDatabase((sql) => findDelivery(sql, botId, deliveryId));
      if (!delivery) throw new Refusal('INPUT_INVALID', `Bot ${botId} has no delivery ${deliveryId}.`);
      const { body, ...rest } = delivery;
      const bytes = Buffer.from(body);
      context.out(
        json ? JSON.stringify({ botId, ...rest, body: bytes.toString('base64') }) : bytes.toString(),
      );
    });
}

function addReplay(deliveries: Command, context: Context): void {
  deliveries
    .command('replay')
    .description(
      'Fold deliveries again: those named, or all that are set aside. What is known counts no second time.',
    )
    .argument('<bot>', 'bot id')
    .argument(
      '[deliveries...]',
      'their numbers',
      (text, before: number[]) => [...before, wholeNumber(text)],
      [],
    )
    .option('--all-set-aside', 'all that are set aside')
    .option('--json', 'print one JSON object')
    .action(
      async (
        botId: string,
        named: number[],
        { allSetAside, json }: { allSetAside?: boolean; json?: boolean },
      ) => {
        if (named.length > 0 === (allSetAside === true)) {
          throw new Refusal('INPUT_INVALID', 'Name the deliveries, or give --all-set-aside.');
        }
        const replayed = await context.withDatabase(async (sql) => {
          await findBot(sql, botId);
          if (!allSetAside) return replayDeliveries(sql, botId, named);
          const { done } = await workOn(context, sql, await startReplay(sql, botId, context));
          return done;
        });
        context.out(
          json
            ? JSON.stringify({ botId, replayed })
            : `${replayed} put back; a running server folds them now.`,
        );
      },
    );
}

function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('A whole number was expected.');
  return Number(text);
}
