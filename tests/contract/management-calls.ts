/**
 * A bot with data of every kind, and a valid call of each operation of the management API.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createTarget } from '../../src/alerts/targets.ts';
import { createInvitation } from '../../src/auth/invitations.ts';
import { createSetupLink } from '../../src/auth/setup-links.ts';
import { createLineToken } from '../../src/bots/line-tokens.ts';
import { setChannel } from '../../src/bots/set-channel.ts';
import { createContacts, findContacts } from '../../src/contacts/contacts.ts';
import { putDeliveries } from '../../src/inbox/inbox.ts';
import { startReplay } from '../../src/jobs/jobs.ts';
import { createReport } from '../../src/mail-reports/reports.ts';
import { startImport } from '../../src/mantago/imports.ts';
import { newId } from '../../src/random.ts';
import { createAnnotation } from '../../src/reports/annotations.ts';
import { createGift } from '../../src/rewards/gifts.ts';
import { grantGift } from '../../src/rewards/grants.ts';
import { createSend } from '../../src/sends/sends.ts';
import { createTemplate } from '../../src/sends/templates.ts';
import { createTag } from '../../src/tags/tags.ts';
import { setCallback } from '../../src/webhooks-out/endpoints.ts';
import { enqueueMessages } from '../../src/webhooks-out/outbox.ts';
import { claimDue, recordAttempt } from '../../src/webhooks-out/queue.ts';
import { earn } from '../harness/points.ts';
import { seededBytes } from '../harness/random.ts';
import {
  type Call,
  type ManagementServer,
  managementServer,
  operationOf,
  password,
} from './management-server.ts';

const noteId = '01KJPS05CJHW7EFBRYYCYAVDF5';

/** The input that a valid call of an operation needs besides that of every call. */
export const good: Record<string, Call> = {
  createBot: { body: { name: 'Another shop' } },
  search: { query: { q: 'a' } },
  createAnnotation: { body: { day: '2026-03-03', text: 'Spring sale' } },
  updateBot: { body: { name: 'Renamed' } },
  setChannel: { body: { secret: 'hush' } },
  createAdminToken: { body: { scope: 'read' } },
  createLineToken: { body: {} },
  changeOwnPassword: { body: { currentPassword: password, password } },
  updateUser: { body: { scope: 'read' } },
  createInvitation: { body: { scope: 'read' } },
  updateContact: { body: { userName: '王小明' } },
  setCustomer: { body: { customerId: 'C-1024' } },
  reportSendFailure: { body: { platform: 'facebook', platformContactId: 'P0', code: 551 } },
  switchLifeCycles: { body: { active: true } },
  assignTag: { body: { contacts: ['P0'] } },
  unassignTag: { body: { contacts: ['P0'] } },
  earnPoints: { body: { amount: 5 } },
  spendPoints: { body: { amount: 5 } },
  adjustPoints: { body: { amount: -5, reason: 'counted twice' } },
  earnManyPoints: { body: { earnings: [{ contact: 'P0', amount: 5 }] } },
  setCallback: { body: { url: 'https://shop.example/callback' } },
  rotateCallbackSecret: { body: {} },
  startMantagoImport: { body: { callsPerMinute: 30 } },
  setMantagoWatch: { body: { tolerance: 2 } },
  recountFigures: { body: { check: true } },
  importData: {
    body: 'platform,platform_contact_id,tags\nline,U00000000000000000000000000000001,VIP\n',
    headers: { 'content-type': 'text/csv' },
  },
  seeChat: { body: { sequence: 1 } },
  assignChat: { body: { userId: null } },
  addChatNote: { body: { noteId, text: 'Asked for an invoice twice.' } },
  createSend: { body: { name: 'Autumn', platform: 'line', message: { text: 'Hi' }, filter: {} } },
  previewSend: { body: { platform: 'line', filter: { tag: 'VIP' } } },
  createAlertTarget: { body: { kind: 'email', address: 'ming@shop.example' } },
  updateAlertRule: { body: { threshold: 1 } },
  createGift: { body: { name: 'Coffee', kind: 'ticket', resource: 'rewardsCard' } },
  updateGift: { body: { stock: 10 } },
  grantGift: { body: { giftId: 'VolejRejN' } },
  createMessageTemplate: { body: { name: 'Thanks', text: 'Thank you' } },
  replaceMessageTemplate: { body: { name: 'Thanks', text: 'Thank you' } },
};
/** Operations that do not respond with JSON, and the socket, which rejects a plain call. */
export const downloads = [
  'exportAuditEntries',
  'getDeliveryBody',
  'exportData',
  'getChatImage',
  'previewMailReport',
  'getContactPicture',
  'openChatSocket',
];
/** Operations whose responses must not be cached. */
export const untagged = [...downloads.filter((id) => id !== 'getContactPicture'), 'getSession'];
/** The status of a valid call; for the socket, that of a call without an upgrade. */
export const successOf = (id: string) =>
  ({ openChatSocket: 426, forgetContact: 204 })[id] ?? operationOf(id).success;
export const gif = 'GIF89a-and-so-on';
export const visitorId = 'v_visitor';

/** A bot with a LINE channel, a contact, a tag, a delivery that was set aside, and a token to revoke. Default: on the file's server. */
export async function ready(starting = managementServer()) {
  const server = await starting;
  const { sql, botId, keys, now } = server;
  await setChannel(sql, { botId, platform: 'line', secret: 'hush' }, { now, random: seededBytes(2), keys });
  const meta = { accountId: '17', secret: 'hush', verifyToken: 'verify' };
  await setChannel(sql, { botId, platform: 'whatsapp', ...meta }, { now, random: seededBytes(2), keys });
  const deliveryId = await putDelivery(server, '{"events":');
  const { tokenId } = await server.addToken('read');
  const { tokenId: lineTokenId } = await createLineToken(sql, botId, {}, { now, random: randomBytes });
  const callback = { botId, url: 'https://shop.example/shoal' };
  const gate = { allowPrivate: true, lookup: async () => [] };
  await setCallback(sql, callback, { gate, now, random: seededBytes(3), keys });
  await addMantagoImport(server);
  const first = { ...(await addContact(server, 'P0')), tagId: await addTag(server, 'Old') };
  const noticeId = await addNotice(server, first.contactId);
  const imageId = await addChat(server);
  await addPicture(server, first.contactId);
  const jobId = String((await startReplay(sql, botId, { clock: () => now, random: randomBytes })).jobId);
  const sendId = await addSend(server);
  const templateId = await addTemplate(server);
  const readReportId = await addReport(server);
  const annotationId = await addAnnotation(server);
  const giftId = await addGift(server);
  const targetId = await addAlertTarget(server, 'first@shop.example');
  const grantId = await addGrant(server, first.contactId, giftId);
  let calls = 0;
  /** Each changing call gets its own contact, tag and key, so that calls do not affect each other. */
  const call = async (id: string, call: Call = {}) => {
    calls += 1;
    const changesBot = operationOf(id).method !== 'GET' && operationOf(id).path.includes('{botId}');
    const { entryId, ...params } = changesBot
      ? { ...(await addContact(server, `P${calls}`)), tagId: await addTag(server, `Tag ${calls}`) }
      : first;
    const userId = operationOf(id).path.includes('{userId}') ? (await server.addUser()).userId : '';
    const changesReport = operationOf(id).method !== 'GET' && operationOf(id).path.includes('{reportId}');
    const reportId = changesReport ? await addReport(server) : readReportId;
    const setupToken = id === 'createFirstUser' ? await addSetupLink(server) : '';
    const needsInvitation = id === 'acceptInvitation' || id === 'removeInvitation';
    const invitation = needsInvitation ? await addInvitation(server) : null;
    const bodies: Record<string, Record<string, unknown>> = {
      acceptInvitation: { token: invitation?.token, userName: `User ${newId(randomBytes)}`, password },
      createAlertTarget: { kind: 'email', address: `a${calls}@shop.example` },
      createTag: { kind: 'manual', name: `Made ${calls}` },
      updateTag: { name: `New ${calls}` },
      transferPoints: { toContactId: first.contactId, amount: 5 },
      reversePoints: { entryId },
      createSession: { token: server.token },
      createFirstUser: { token: setupToken, userName: `User ${newId(randomBytes)}`, password },
      updateOwnAccount: { name: `User ${newId(randomBytes)}`, currentPassword: password },
      createUser: { name: `User ${newId(randomBytes)}`, scope: 'read', password },
      createGift: { ...(good.createGift?.body as object), name: `Gift ${calls}` },
      grantGift: { giftId },
      createMessageTemplate: { name: `Template ${calls}`, text: 'Thank you' },
      replaceMessageTemplate: { name: `Changed ${calls}`, text: 'Thanks' },
      createMailReport: reportOf(server.botId),
      replaceMailReport: { ...reportOf(server.botId), isPaused: true },
      sendChatMessage: { messageId: ulidOf(calls), text: '可以的' },
    };
    const image = {
      ...{ body: gif, query: { messageId: ulidOf(calls), ...call.query } },
      headers: { 'content-type': 'image/gif', ...call.headers },
    };
    return server.call(id, {
      ...good[id],
      ...(bodies[id] ? { body: bodies[id] } : {}),
      ...(id === 'sendChatImage' ? { ...image, ...call, query: image.query } : call),
      params: {
        deliveryId,
        jobId,
        noticeId,
        tokenId,
        lineTokenId,
        userId,
        reportId,
        ...(invitation === null ? {} : { invitationId: invitation.invitationId }),
        sendId,
        giftId,
        grantId: id === 'redeemGift' ? await addGrant(server, params.contactId, giftId) : grantId,
        targetId:
          id === 'removeAlertTarget' ? await addAlertTarget(server, `r${calls}@shop.example`) : targetId,
        templateId:
          changesBot && operationOf(id).path.includes('{templateId}')
            ? await addTemplate(server)
            : templateId,
        sessionId:
          id === 'endOwnSession' && call.token !== null ? await newestSession(server, call.token) : '',
        annotationId: id === 'deleteAnnotation' ? await addAnnotation(server) : annotationId,
        visitorId,
        messageId: imageId,
        noteId,
        ...params,
        ...call.params,
      },
      headers: {
        'idempotency-key': `key-${calls}`,
        ...good[id]?.headers,
        ...(id === 'sendChatImage' ? image.headers : call.headers),
      },
    });
  };
  const ids = {
    ...first,
    reportId: readReportId,
    annotationId,
    giftId,
    grantId,
    sendId,
    targetId,
    templateId,
    deliveryId,
    jobId,
    noticeId,
    tokenId,
    lineTokenId,
    visitorId,
    messageId: imageId,
    noteId,
  };
  return { ...server, server, deliveryId, tokenId, ids, call };
}

/** A session of the user that calls with this token. */
async function newestSession(server: ManagementServer, token: string | undefined): Promise<string> {
  const { body } = await server.call('listOwnSessions', token === undefined ? {} : { token });
  return (body.sessions as { sessionId: string }[] | undefined)?.[0]?.sessionId ?? '';
}

function addInvitation({ sql, now }: ManagementServer) {
  const invitation = {
    scope: 'read',
    botIds: null,
    creator: { id: 'test', name: 'a test' },
    days: 7,
  } as const;
  return createInvitation(sql, invitation, { now, random: randomBytes });
}

/** The token of a setup link. */
async function addSetupLink({ sql, now }: ManagementServer): Promise<string> {
  const { url } = await createSetupLink(sql, { address: '', now, random: randomBytes });
  return url.slice(url.indexOf('#') + 1);
}

/** A Facebook contact with 100 points, and the ledger entry of the points. */
export async function addContact(
  { sql, botId, now }: ManagementServer,
  id: string,
): Promise<{ contactId: string; entryId: string }> {
  await createContacts(sql, botId, 'facebook', [id], { now, random: randomBytes });
  const contactId = (await findContacts(sql, botId, 'facebook', [id])).get(id) ?? '';
  const gift = { botId, contactId, key: `gift ${id}`, amount: 100, expiresAt: null };
  return { contactId, entryId: (await earn(sql, gift, { now })).entryId };
}

/** A webhook message that failed permanently after one attempt. */
export async function addNotice({ sql, botId, now }: ManagementServer, contactId: string): Promise<string> {
  await sql.begin((tx) =>
    enqueueMessages(tx, botId, [{ contactId, at: now, type: 'contact.followed', data: {} }], { now }),
  );
  const [claim] = await claimDue(sql, botId, { now, countMax: 10 });
  assert.ok(claim);
  const answer = { status: 500, problem: 'answered 500', excerpt: 'oh no', retryAfter: null, ms: 12 };
  const verdict = { kind: 'given-up', isGone: false } as const;
  await recordAttempt(sql, claim, { answer, verdict, attemptedAt: now, now });
  return String(claim.noticeId);
}

export function addTag({ sql, botId, now }: ManagementServer, name: string): Promise<string> {
  return sql.begin((tx) => createTag(tx, { botId, kind: 'automatic', name }, { now, random: randomBytes }));
}

async function addSend({ sql, botId, now }: ManagementServer): Promise<string> {
  const message = { text: 'Hi', quickReplies: [], whatsAppTemplate: null, tag: null };
  const send = {
    botId,
    name: 'Spring',
    platform: 'line',
    message,
    zone: 'Asia/Taipei',
    quietHours: null,
  } as const;
  const to = { contactIds: [], unknownContacts: 0 };
  const created = await createSend(sql, { ...send, to, startsAt: null, key: null, createdBy: null }, { now });
  return String(created.send.sendId);
}

async function addGift({ sql, botId, now }: ManagementServer): Promise<string> {
  const gift = {
    botId,
    name: newId(randomBytes),
    kind: 'physical',
    resource: 'lotteryGame',
    isDefault: false,
  } as const;
  const all = { ...gift, stock: null, expiresAt: null };
  const created = await sql.begin((tx) => createGift(tx, all, { now, random: randomBytes }));
  return created.giftId;
}

export async function addGrant(
  { sql, botId, now }: ManagementServer,
  contactId: string,
  giftId: string,
): Promise<string> {
  const change = { botId, giftId, contactId, key: newId(randomBytes), by: null };
  const { grant } = await sql.begin((tx) => grantGift(tx, change, { now }));
  return String(grant.grantId);
}

async function addAlertTarget({ sql, botId, now, keys }: ManagementServer, address: string): Promise<string> {
  const gate = { allowPrivate: true, lookup: async () => [] };
  const target = { botId, kind: 'email', address, language: 'en' } as const;
  const created = await createTarget(sql, target, { gate, keys, now, random: randomBytes });
  return String(created.target.targetId);
}

async function addAnnotation({ sql, botId, now }: ManagementServer): Promise<string> {
  const note = { day: '2026-03-03', text: 'Spring sale' };
  const { annotationId } = await createAnnotation(sql, botId, note, { now, random: randomBytes });
  return annotationId ?? '';
}

async function addTemplate({ sql, botId, now }: ManagementServer): Promise<string> {
  const content = { text: 'Hi', quickReplies: [], whatsAppTemplate: null, platforms: {} };
  const template = { botId, name: newId(randomBytes), content };
  return (await createTemplate(sql, template, { now, random: randomBytes })).templateId;
}

export function reportOf(botId: string) {
  return {
    ...({ name: 'Sales', botIds: [botId], frequency: 'weekly', language: 'ja' } as const),
    ...{ timeZone: 'Asia/Tokyo', time: '09:00', recipients: ['ming@shop.example'] },
  };
}

async function addReport({ sql, botId, now }: ManagementServer): Promise<string> {
  const report = { ...reportOf(botId), isPaused: false };
  return (await createReport(sql, report, { now, random: randomBytes })).reportId;
}

export function ulidOf(number: number): string {
  return String(number).padStart(26, '0');
}

/** A live chat with an image. */
async function addChat({ sql, botId, now }: ManagementServer): Promise<string> {
  const messageId = '7'.repeat(26);
  const at = new Date(now);
  await sql`
    insert into chat_visitors (bot_id, visitor_id, last_sequence, last_message_at, created_at, session_at)
    values (${botId}, ${visitorId}, 1, ${at}, ${at}, ${at})`;
  await sql`
    insert into chat_messages (bot_id, visitor_id, sequence, message_id, sender, image_type, image_bytes, sent_at)
    values (${botId}, ${visitorId}, 1, ${messageId}, 'visitor', 'image/gif', ${gif.length}, ${at})`;
  await sql`
    insert into chat_images (bot_id, visitor_id, message_id, content, sent_at)
    values (${botId}, ${visitorId}, ${messageId}, ${Buffer.from(gif)}, ${at})`;
  return messageId;
}

/** A picture that was fetched from the platform. */
async function addPicture({ sql, botId, now }: ManagementServer, contactId: string): Promise<void> {
  const picture = { bot_id: botId, contact_id: contactId };
  const url = 'https://cdn.example/ada.gif';
  await sql`
    insert into contact_profiles ${sql({ ...picture, picture_url: url, updated_at: new Date(now) })}
    on conflict (bot_id, contact_id) do update set picture_url = excluded.picture_url`;
  const content = Buffer.from(gif);
  await sql`insert into contact_pictures ${sql({ ...picture, url, type: 'image/gif', content, fetched_at: new Date(now) })}`;
}

export async function putDelivery({ sql, botId, now }: ManagementServer, body: string): Promise<string> {
  await putDeliveries(sql, [
    { botId, platform: 'line', source: 'webhook', body: Buffer.from(body), receivedAt: now },
  ]);
  await sql`delete from pending_bundles where bot_id = ${botId}`;
  const [row] = await sql<{ id: number }[]>`
    update deliveries set set_aside_reason = 'not JSON'
    where bot_id = ${botId} and delivery_id = (select max(delivery_id) from deliveries where bot_id = ${botId})
    returning delivery_id as id`;
  return String(row?.id);
}

/** An import that has not made a call. */
async function addMantagoImport({ sql, botId, keys, now }: ManagementServer): Promise<void> {
  const connection = { address: 'https://mantago.test/api', theirBotId: 'lNbWoobyg' };
  await startImport(
    sql,
    { botId, ...connection, token: 'token', secret: 'secret' },
    { clock: () => now, keys },
  );
}
