/**
 * Operations that record what no platform reports: blocks, and failed sends.
 */
import { findContact, findNamed } from '../../contacts/contacts.ts';
import { Refusal } from '../../errors.ts';
import { recordBlock, recordSendFailure } from '../../ingest/business-events.ts';
import { msOf } from '../iso.ts';
import { readContact } from './contacts.ts';
import type { Call, Operations, Sources } from './operation.ts';

export function recordOperations({ sql, clock, random }: Sources) {
  type BlockCall = Omit<Call<'blockContact'>, 'upload'>;
  const record = (blocked: boolean) => async (call: BlockCall) => {
    const { botId } = call.bot;
    const { contactId } = await findContact(sql, botId, call.params.contactId);
    const now = clock();
    const key = call.headers['idempotency-key'];
    const block = { botId, contactId, blocked, key, at: msOf(call.body.happenedAt) };
    call.setReplayed((await recordBlock(sql, block, { now, random })).repeated);
    return readContact(sql, botId, contactId, now);
  };
  return {
    blockContact: record(true),
    unblockContact: record(false),
    async reportSendFailure({ bot: { botId }, body, headers, setReplayed }) {
      const { platform, platformContactId, code, happenedAt } = body;
      const onPlatform = { platform, id: platformContactId };
      const contactId = await findNamed(sql, botId, { id: null, onPlatform });
      if (contactId === null)
        throw new Refusal('CONTACT_NOT_FOUND', `The bot knows no such contact on ${platform}.`);
      const key = headers['idempotency-key'];
      const failure = { botId, contactId, code, key, at: msOf(happenedAt) };
      const { repeated, counted } = await recordSendFailure(sql, failure, { now: clock(), random });
      setReplayed(repeated);
      return { contactId, counted, meaning: counted ? blockMeaning : otherMeaning(platform, code) };
    },
  } satisfies Partial<Operations>;
}

const blockMeaning = 'The contact counts as blocked from then on, until a later message or unblock.';

function otherMeaning(platform: string, code: number): string {
  return `${platform} code ${code} does not mean a block. The failure is in the contact's events and in no figure.`;
}
