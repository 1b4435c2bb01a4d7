/**
 * `shoal gift`: the catalogue of gifts, and grants to contacts.
 */
import { findBot } from '../bots/bots.ts';
import { repeatedTransaction } from '../database/repeated-transaction.ts';
import { Refusal } from '../errors.ts';
import { findReference, readReference } from '../imports/contact-references.ts';
import { createContactsHelp, instantHelp, readAmount, readInstant } from '../imports/values.ts';
import { newId } from '../random.ts';
import { createGift, findGiftByName, type GiftKind, giftKinds, listGifts } from '../rewards/gifts.ts';
import { auditGifts, type Grant, grantGift, redeemGift } from '../rewards/grants.ts';
import type { ShoalCommand } from './command.ts';
import type { CommandContext } from './context.ts';
import { importFileOf } from './import.ts';

const by = 'command line';
const listMax = 10_000;
const randomKeyLength = 22;
const keyHelp = 'idempotency key: the same key changes nothing a second time (default: a random one)';

type AddOptions = { resource?: string; stock?: number; expiresAt?: string; default?: boolean };
type KeyOptions = { key?: string };

/** Adds the commands. */
export function register(program: ShoalCommand, context: CommandContext): void {
  const gift = program.add(
    'gift',
    'Rewards: the catalogue of gifts, grants to contacts, redemptions, import, audit.',
  );
  addCatalogue(gift, context);
  addGrants(gift, context);
  gift
    .addForBot(
      'audit',
      'Check that the counter of each gift is the number of its grants. Exit code 1 if not.',
    )
    .answer((botId: string) => async (sql) => {
      await findBot(sql, botId);
      const differences = await auditGifts(sql, botId);
      const right = differences.length === 0;
      const lines = differences.map(
        ({ name, counted, granted }) => `${name}: counter ${counted}, grants ${granted}`,
      );
      const text = right ? 'Every counter is correct.' : lines.join('\n');
      return { json: { botId, right, differences }, text, isFailure: !right };
    });
}

function addCatalogue(gift: ShoalCommand, { clock, random }: CommandContext): void {
  gift.addForBot('list', 'List the gifts with their stock.').answer((botId: string) => async (sql) => {
    await findBot(sql, botId);
    const gifts = await listGifts(sql, botId, { after: null, limit: listMax });
    const lines = gifts.map(
      ({ giftId, name, kind, stock, granted, isDefault }) =>
        `${giftId}  ${kind}  ${granted} of ${stock ?? 'any number'} granted  ${name}${isDefault ? '  (default)' : ''}`,
    );
    return { json: { botId, gifts }, text: lines.length === 0 ? 'No gifts.' : lines.join('\n') };
  });
  gift
    .addForBot('add', 'Add a gift to the catalogue.')
    .argument('<kind>', giftKinds.join(', '))
    .argument('<name>', 'name of the gift')
    .option('--resource <text>', 'where it comes from, such as lotteryGame (default: shoal)')
    .option('--stock <number>', 'how many can be granted in all (default: any number)', readAmount)
    .option(
      '--expires-at <time>',
      `until when it can be granted and redeemed; ${instantHelp} (default: always)`,
    )
    .option('--default', 'the gift of the MantaGo API’s tickets')
    .answer((botId: string, kind: string, name: string, options: AddOptions) => {
      const { resource = 'shoal', stock = null, expiresAt } = options;
      if (!isKind(kind)) throw new Refusal('INPUT_INVALID', `The kind must be ${giftKinds.join(' or ')}.`);
      return (sql) =>
        sql.begin(async (tx) => {
          const { timeZone } = await findBot(tx, botId);
          const at = expiresAt === undefined ? null : new Date(readInstant(expiresAt, timeZone));
          const added = {
            botId,
            name,
            kind,
            resource,
            isDefault: options.default ?? false,
            stock,
            expiresAt: at,
          };
          const { giftId } = await createGift(tx, added, { now: clock(), random });
          return { json: { botId, giftId, name }, text: `Added the gift ${giftId}.` };
        });
    });
}

function addGrants(gift: ShoalCommand, context: CommandContext): void {
  const { clock, random } = context;
  gift
    .addForContact('grant', 'Grant a gift to a contact.')
    .argument('<gift>', 'id or name of the gift')
    .option('--key <key>', keyHelp)
    .option('--create-contacts', createContactsHelp)
    .answer(
      (
        botId: string,
        platform: string,
        contact: string,
        name: string,
        options: KeyOptions & { createContacts?: boolean },
      ) => {
        const reference = readReference(platform, contact);
        const { key = newId(random, randomKeyLength) } = options;
        const creation = options.createContacts ? { now: clock(), random } : null;
        return (sql) =>
          repeatedTransaction(sql, async (tx) => {
            const contactId = await findReference(tx, botId, reference, creation);
            const { giftId } = await findGiftByName(tx, botId, name);
            const change = { botId, giftId, contactId, key, by };
            return answerOf(botId, await grantGift(tx, change, { now: clock() }), 'Granted');
          });
      },
    );
  gift
    .addForContact('redeem', 'Redeem a granted gift of a contact.')
    .argument('<grant>', 'number of the grant', readAmount)
    .option('--key <key>', keyHelp)
    .answer((botId: string, platform: string, contact: string, grantId: number, options: KeyOptions) => {
      const reference = readReference(platform, contact);
      const { key = newId(random, randomKeyLength) } = options;
      return (sql) =>
        repeatedTransaction(sql, async (tx) => {
          const contactId = await findReference(tx, botId, reference, null);
          const change = { botId, contactId, grantId, key, by };
          return answerOf(botId, await redeemGift(tx, change, { now: clock() }), 'Redeemed');
        });
    });
  gift
    .addForBot(
      'import',
      'Grant gifts from a file with the columns platform, contact, gift and optionally key, completely or not at all. ' +
        'Without keys the same file changes nothing a second time.',
    )
    .argument('<file>', 'file in UTF-8: CSV with a header line, or NDJSON (.ndjson, .jsonl)')
    .option('--create-contacts', createContactsHelp)
    .answer(
      (botId: string, path: string, { createContacts = false }: { createContacts?: boolean }) =>
        (sql) =>
          importFileOf(context, sql, 'gifts', { botId, path, createContacts }),
    );
}

function answerOf(botId: string, { grant, repeated }: { grant: Grant; repeated: boolean }, done: string) {
  const note = repeated ? ' This key was used before; nothing changed.' : '';
  return {
    json: { botId, ...grant, repeated },
    text: `${done} ${grant.name}, grant ${grant.grantId}.${note}`,
  };
}

function isKind(text: string): text is GiftKind {
  return giftKinds.some((kind) => kind === text);
}
