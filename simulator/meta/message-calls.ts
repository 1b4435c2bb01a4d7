/** Calls that send messages, which bring echoes or statuses, and the conversations of the page and the Instagram account. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isObject } from '../../src/json.ts';
import { dayMs, secondMs } from '../../src/time.ts';
import { type MessageStatus, type Person, personKey, type SimulatedEvent } from '../events/event.ts';
import { nameOf } from '../events/texts.ts';
import { detailedMessages } from './account.ts';
import { authorize, parameter } from './caller.ts';
import { readFields } from './fields.ts';
import { blocked, GraphError, invalidParameter, outsideWindow, unknownObject } from './graph-error.ts';
import type { GraphParts } from './graph-parts.ts';
import { pageOf } from './pages.ts';
import type { MetaPlatform } from './people.ts';

const windowMs = dayMs;
const pageSize = 25;
const pageSizeMax = 100;

type ById = FastifyRequest<{ Params: { id: string } }>;

export function addMessageCalls(app: FastifyInstance, parts: GraphParts): void {
  const { pageId, instagramId, phoneNumberId } = parts.credentials;
  app.post<{ Params: { id: string } }>('/:id/messages', async (request, reply) => {
    const { id } = request.params;
    if (id === phoneNumberId) return sendWhatsapp(parts, request, reply);
    if (id === pageId || id === 'me') return sendMessenger(parts, 'facebook', request, reply);
    if (id === instagramId) return sendMessenger(parts, 'instagram', request, reply);
    throw new GraphError(unknownObject(id));
  });
  app.get<{ Params: { id: string } }>('/:id/conversations', async (request, reply) => {
    const { id } = request.params;
    if (id !== pageId && id !== instagramId && id !== 'me') throw new GraphError(unknownObject(id));
    const isInstagram = parameter(request, 'platform') === 'instagram' || id === instagramId;
    return conversations(parts, isInstagram ? 'instagram' : 'facebook', request, reply);
  });
}

async function sendMessenger(
  parts: GraphParts,
  platform: 'facebook' | 'instagram',
  request: ById,
  reply: FastifyReply,
): Promise<object> {
  authorize(parts, request, reply, { platform, scopes: messageScopes(platform) });
  const body = isObject(request.body) ? request.body : {};
  const id = isObject(body.recipient) ? body.recipient.id : undefined;
  if (typeof id !== 'string' || !isObject(body.message))
    throw new GraphError(invalidParameter('The parameters recipient and message are required'));
  const person = parts.simulation.account.findById(platform, id);
  if (!person) throw new GraphError({ ...unknownObject(id), message: '(#100) No matching user found' });
  if (person.blockedAt !== null || person.isDeleted) throw new GraphError(blocked);
  if (person.wroteAt === null || parts.now() - person.wroteAt > windowMs) throw new GraphError(outsideWindow);
  const { id: message_id } = await parts.simulation.send(platform, person.person, { form: 'text' });
  return { recipient_id: id, message_id };
}

async function sendWhatsapp(parts: GraphParts, request: ById, reply: FastifyReply): Promise<object> {
  const scopes = { whatsapp: 'whatsapp_business_messaging' };
  authorize(parts, request, reply, { platform: 'whatsapp', scopes });
  const body = isObject(request.body) ? request.body : {};
  const { to, recipient, type } = body;
  const input = typeof to === 'string' ? to : recipient;
  if (body.messaging_product !== 'whatsapp' || typeof input !== 'string')
    throw new GraphError(invalidParameter('The parameters messaging_product and to are required'));
  const { simulation } = parts;
  const ids =
    typeof to === 'string' ? { id: to.replace(/\D/g, ''), userId: null } : { id: null, userId: input };
  const existing = simulation.account.findById('whatsapp', ids.id ?? ids.userId ?? '');
  const person: Person = existing?.person ?? { platform: 'whatsapp', ...ids };
  const isTemplate = type === 'template';
  const isOutside = existing?.wroteAt == null || parts.now() - existing.wroteAt > windowMs;
  // WhatsApp accepts the call and reports the failure with a status.
  const failure =
    existing?.blockedAt != null || existing?.isDeleted ? 131026 : isOutside && !isTemplate ? 131047 : null;
  const at = Math.floor(parts.now() / secondMs) * secondMs;
  const statuses: MessageStatus[] =
    failure === null
      ? (['sent', 'delivered', 'read'] as const).map((status, index) => ({
          status,
          at: at + index * secondMs,
        }))
      : [{ status: 'failed', at, code: failure }];
  const form = isTemplate ? 'template' : 'text';
  const { id } = await simulation.send('whatsapp', person, { form, statuses });
  return {
    messaging_product: 'whatsapp',
    contacts: [{ input, ...(ids.id === null ? { user_id: ids.userId } : { wa_id: ids.id }) }],
    messages: [{ id }],
  };
}

function conversations(
  parts: GraphParts,
  platform: 'facebook' | 'instagram',
  request: ById,
  reply: FastifyReply,
): object {
  authorize(parts, request, reply, { platform, scopes: messageScopes(platform) });
  const threads = [...Map.groupBy(parts.simulation.account.messagesOf(platform), threadKey).entries()].sort(
    ([, a], [, b]) => (b.at(-1)?.at ?? 0) - (a.at(-1)?.at ?? 0),
  );
  const limit = Math.min(pageSizeMax, Number(parameter(request, 'limit') ?? pageSize));
  const page = pageOf(threads, { after: parameter(request, 'after'), limit });
  const fields = readFields(parameter(request, 'fields') ?? 'id,updated_time');
  const messages = fields.find(({ name }) => name === 'messages');
  const data = page.data.map(([key, events]) => ({
    id: `t_${key.replace(/\W/g, '')}`,
    updated_time: timeText(events.at(-1)?.at ?? 0),
    ...(messages && { messages: messagesOf(parts, platform, events, messages.parameters.limit) }),
  }));
  return { ...page, data };
}

function messagesOf(
  { credentials }: GraphParts,
  platform: 'facebook' | 'instagram',
  events: readonly SimulatedEvent[],
  limit = '25',
): object {
  const account = {
    id: platform === 'facebook' ? credentials.pageId : credentials.instagramId,
    name: 'Shop',
  };
  const latest = events.toReversed().slice(0, Number(limit));
  const data = latest.map(({ id, at, kind, person }, index) => {
    const other = { id: person?.id ?? '', name: nameOf(person ? personKey(person) : id) };
    const [from, to] = kind === 'answer' ? [account, other] : [other, account];
    const details = index < detailedMessages ? { from, to: { data: [to] } } : {};
    return { id, created_time: timeText(at), ...details };
  });
  return { data };
}

function threadKey({ person, id }: SimulatedEvent): string {
  return person === null ? id : personKey(person);
}

/** Whole seconds, as Graph's times. */
function timeText(at: number): string {
  return new Date(Math.floor(at / secondMs) * secondMs).toISOString().replace('.000Z', '+0000');
}

function messageScopes(platform: MetaPlatform) {
  if (platform === 'facebook') return { page: 'pages_messaging' };
  return { page: 'instagram_manage_messages', instagram: 'instagram_business_manage_messages' };
}
