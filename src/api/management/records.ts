/**
 * Operations by which the business records what no platform tells: blocks of a contact, and sends that failed.
 */

import { findContact, findNamed } from '../../contacts/contacts.ts';
import { Refusal } from '../../errors.ts';
import { recordBlock, recordSendFailure } from '../../ingest/business-events.ts';
import {
  contactIdOf,
  instantOf,
  type ManagementCall,
  type ManagementOperations,
  type ManagementSources,
  platformOf,
} from './call.ts';
import { readContact } from './contacts.ts';

export function recordOperations({ sql, clock, random }: ManagementSources): ManagementOperations {
  const record = (blocked: boolean) => async (call: ManagementCall) => {
    const { botId } = call.bot;
    const { contactId } = await findContact(sql, botId, contactIdOf(call));
    const now = clock();
    const at = instantOf(call.body.happenedAt);
    const block = { botId, contactId, blocked, key: call.idempotencyKey, at };
    call.tellReplayed((await recordBlock(sql, block, { now, random })).repeated);
    return readContact(sql, botId, contactId, now);
  };
  return {
    blockContact: record(true),
    unblockContact: record(false),
    async reportSendFailure(call) {
      const { bot, body } = call;
      const platform = platformOf(body.platform);
      if (platform === null) throw new Error('the contract let a platform through that there is not');
      const named = { id: null, onPlatform: { platform, id: String(body.platformContactId) } };
      const contactId = await findNamed(sql, bot.botId, named);
      if (contactId === null)
        throw new Refusal('CONTACT_NOT_FOUND', `The bot knows no such contact on ${platform}.`);
      const now = clock();
      const code = Number(body.code);
      const failure = {
        ...{ botId: bot.botId, contactId, code },
        ...{ key: call.idempotencyKey, at: instantOf(body.happenedAt) },
      };
      const { repeated, counted } = await recordSendFailure(sql, failure, { now, random });
      call.tellReplayed(repeated);
      return { contactId, counted, meaning: counted ? blocks : `${platform} code ${code} ${noBlock}` };
    },
  };
}

const blocks = 'The contact counts as blocked from then on, until a later message or unblock.';
const noBlock = "says nothing of a block: it stands in the contact's story, and no figure counts it.";
