/**
 * Operations on sends.
 */
import { addedBetween, anyContact } from '../../contacts/filter.ts';
import { Refusal } from '../../errors.ts';
import { readQuota } from '../../line/quota.ts';
import type { PlatformName } from '../../platforms/platform.ts';
import type { Message } from '../../sends/message.ts';
import { previewAudience } from '../../sends/plan.ts';
import { readLocalTime, readQuietHours } from '../../sends/quiet-hours.ts';
import { countNamed, findRecipients, listRecipients } from '../../sends/recipients.ts';
import {
  createSend,
  findRepeated,
  findSend,
  listSends,
  type NewSend,
  requestKey,
  type Send,
  setState,
} from '../../sends/sends.ts';
import { findTemplate, toMessage } from '../../sends/templates.ts';
import { isTimeZone, minuteMs } from '../../time.ts';
import { isoOf, isoOrNull, withIsoDates } from '../iso.ts';
import { type Body, type Call, listBytesMax, type Operations, type Sources } from './operation.ts';
import { cursorPlace, isSerial, readPage } from './paging.ts';

export function sendOperations({ sql, clock }: Sources) {
  const keyOf = ({ bot: { botId }, params: { sendId } }: Pick<Call<'getSend'>, 'bot' | 'params'>) => ({
    botId,
    sendId,
  });
  const shown = (send: Send) => toShown(send, clock());
  const change =
    (state: 'running' | 'paused' | 'stopped') => async (call: Pick<Call<'pauseSend'>, 'bot' | 'params'>) =>
      shown(await sql.begin((tx) => setState(tx, keyOf(call), { state, now: clock() })));
  return {
    async listSends({ bot: { botId }, query }) {
      const { rows, nextCursor } = await readPage(
        query,
        cursorPlace({ sendId: isSerial }),
        ({ after, limit }) => listSends(sql, botId, { limit, beforeId: after?.sendId ?? null }),
      );
      return { sends: rows.map(shown), nextCursor };
    },
    createSend: {
      bodyBytesMax: listBytesMax,
      async answer(call) {
        const { body, bot, caller, headers, setReplayed } = call;
        const { botId } = bot;
        const { name, platform } = body;
        const key = requestKey(headers['idempotency-key'], body);
        // Before the contacts and the template are looked up: they may have changed since the first call.
        const earlier = await findRepeated(sql, botId, key);
        if (earlier !== null) {
          setReplayed(true);
          return shown(earlier);
        }
        const zone = zoneOf(call);
        const message = await messageOf(sql, botId, body);
        const to = await audienceOf(sql, botId, body, zone);
        if ('contactIds' in to && to.contactIds.length === 0)
          throw new Refusal('CONTACT_NOT_FOUND', 'None of the contacts is known on this platform.');
        const send: NewSend = {
          ...{ botId, name, platform, message, to, zone },
          quietHours: body.quietHours ? readQuietHours(body.quietHours) : null,
          startsAt: body.startAt === undefined ? null : readLocalTime(body.startAt, zone),
          key,
          createdBy: caller.name,
        };
        const { send: created, repeated } = await createSend(sql, send, { now: clock() });
        setReplayed(repeated);
        return shown(created);
      },
    },
    previewSend: {
      bodyBytesMax: listBytesMax,
      async answer(call) {
        const { body, bot } = call;
        const { botId } = bot;
        const { platform } = body;
        const to = await audienceOf(sql, botId, body, zoneOf(call));
        const counts =
          'filter' in to
            ? await previewAudience(sql, { botId, platform, filter: to.filter, now: clock() })
            : await countNamed(sql, botId, to.contactIds);
        const unknownContacts = 'filter' in to ? 0 : to.unknownContacts;
        return { ...counts, unknownContacts, quota: await quotaFor(platform, botId, counts.recipients) };
      },
    },
    getSend: async (call) => shown(await findSend(sql, keyOf(call))),
    async listSendRecipients(call) {
      const { query } = call;
      const send = await findSend(sql, keyOf(call));
      const { rows, nextCursor } = await readPage(
        query,
        cursorPlace({ position: isSerial }),
        ({ after, limit }) =>
          listRecipients(sql, send, { state: query.state ?? null, after: after?.position ?? null, limit }),
      );
      return { recipients: rows.map(withIsoDates), nextCursor };
    },
    pauseSend: change('paused'),
    resumeSend: change('running'),
    stopSend: change('stopped'),
  } satisfies Partial<Operations>;

  async function quotaFor(platform: PlatformName, botId: string, needed: number) {
    if (platform !== 'line') return null;
    const { quota, used } = await readQuota(sql, botId, clock());
    return { quota, used, needed, remaining: quota === null || used === null ? null : quota - used - needed };
  }
}

function zoneOf({ bot, body: { zone = bot.timeZone } }: Pick<Call<'previewSend'>, 'bot' | 'body'>): string {
  if (isTimeZone(zone)) return zone;
  throw new Refusal('INPUT_INVALID', `zone in the body must be a time zone, like Asia/Taipei, not ${zone}`);
}

async function messageOf(sql: Sources['sql'], botId: string, body: Body<'createSend'>): Promise<Message> {
  const { platform, message, templateId, tag = null } = body;
  if ((message === undefined) === (templateId === undefined))
    throw new Refusal('INPUT_INVALID', 'the body must have either message or templateId');
  if (message !== undefined) {
    const { text = null, quickReplies = [], whatsAppTemplate = null } = message;
    return { text, quickReplies, whatsAppTemplate, tag };
  }
  const { content } = await findTemplate(sql, { botId, templateId: templateId ?? '' });
  return toMessage(content, { platform, tag });
}

async function audienceOf(
  sql: Sources['sql'],
  botId: string,
  { platform, contacts, filter }: Body<'previewSend'>,
  zone: string,
): Promise<NewSend['to']> {
  if ((contacts === undefined) === (filter === undefined))
    throw new Refusal('INPUT_INVALID', 'the body must have either contacts or filter');
  if (contacts !== undefined) return findRecipients(sql, botId, { platform, ids: contacts });
  const { tag = null, name = null, customerId = null, ...days } = filter ?? {};
  return {
    filter: { ...anyContact, platform, tag, name, customerId, ...addedBetween(days, zone) },
  };
}

function timeOf(minutes: number): string {
  return isoOf(minutes * minuteMs).slice(11, 16);
}

function toShown({ botId: _, dueAt: _due, audience, quietHours, state, ...send }: Send, now: number) {
  const isScheduled = state === 'running' && send.startsAt.getTime() > now;
  return {
    ...withIsoDates(send),
    state: isScheduled ? ('scheduled' as const) : state,
    quietHours: quietHours && { from: timeOf(quietHours.from), until: timeOf(quietHours.until) },
    filter: audience && {
      tag: audience.tag,
      name: audience.name,
      customerId: audience.customerId,
      createdFrom: isoOrNull(audience.from),
      createdTo: isoOrNull(audience.to),
    },
  };
}
