/**
 * `shoal deliveries`: stored deliveries, the reasons for those set aside, and their replay.
 */
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
import { renderLine, renderList, type ShoalCommand, wholeNumber, wholeNumbers } from './command.ts';
import type { Context } from './context.ts';
import { workOn } from './job.ts';

const states = ['set-aside', 'pending', 'folded', 'any'] as const satisfies (DeliveryState | 'any')[];

type ListOptions = { state?: (typeof states)[number]; contact?: string; limit: number; before?: number };

/** Adds the commands. */
export function register(program: ShoalCommand, context: Context): void {
  const deliveries = program.add('deliveries', 'Stored deliveries: list, show, replay.');
  addList(deliveries);
  deliveries
    .addForBot('show', 'Print the body of a delivery, byte for byte as it arrived.')
    .argument('<delivery>', 'its number', wholeNumber)
    .answer((botId: string, deliveryId: number) => async (sql) => {
      const delivery = await findDelivery(sql, botId, deliveryId);
      if (!delivery) throw new Refusal('INPUT_INVALID', `Bot ${botId} has no delivery ${deliveryId}.`);
      const { body, ...rest } = delivery;
      const bytes = Buffer.from(body);
      return { json: { botId, ...rest, body: bytes.toString('base64') }, text: bytes.toString() };
    });
  addReplay(deliveries, context);
}

function addList(deliveries: ShoalCommand): void {
  deliveries
    .addForBot('list', 'List deliveries, newest first.')
    .choice('--state <state>', 'only in this state (default: set-aside; with --contact: any)', states)
    .option('--contact <id>', 'only deliveries that name this contact, by its encoded client id')
    .option('--limit <count>', 'maximum number of deliveries', wholeNumber, 50)
    .option('--before <id>', 'only deliveries before this one, for the next page', wholeNumber)
    .answer((botId: string, { state, contact, limit, before }: ListOptions) => async (sql) => {
      const chosenState = state ?? (contact === undefined ? 'set-aside' : 'any');
      const query = { state: chosenState === 'any' ? null : chosenState, limit, beforeId: before ?? null };
      await findBot(sql, botId);
      const listed =
        contact === undefined
          ? await listDeliveries(sql, botId, query)
          : await listAllOf(sql, { botId, contactId: contact }, query);
      return { json: { botId, deliveries: listed }, text: renderList(listed, renderDelivery) };
    });
}

/** Reads pages until the limit is reached: work bounds the size of a page, not the limit. */
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

function renderDelivery({ deliveryId, receivedAt, platform, bytes, state, reason }: ListedDelivery): string {
  return renderLine(deliveryId, receivedAt.toISOString(), platform, `${bytes} bytes`, state, reason);
}

function addReplay(deliveries: ShoalCommand, context: Context): void {
  deliveries
    .addForBot(
      'replay',
      'Process deliveries again: the named ones, or all that are set aside. Known events count no second time.',
    )
    .argument('[deliveries...]', 'their numbers', wholeNumbers, [])
    .option('--all-set-aside', 'all deliveries that are set aside')
    .answer((botId: string, deliveryIds: number[], { allSetAside = false }: { allSetAside?: boolean }) => {
      if (deliveryIds.length > 0 === allSetAside) {
        throw new Refusal('INPUT_INVALID', 'Name the deliveries, or use --all-set-aside.');
      }
      return async (sql) => {
        await findBot(sql, botId);
        const replayed = allSetAside
          ? (await workOn(context, sql, await startReplay(sql, botId, context))).done
          : await replayDeliveries(sql, botId, deliveryIds);
        return {
          json: { botId, replayed },
          text: `Queued ${replayed} again. A running server processes them now.`,
        };
      };
    });
}
