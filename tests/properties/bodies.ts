/**
 * Minimal delivery bodies of each platform for one event, for property tests.
 */

/** One event as a delivery reports it. A null `person`: the platform names none. */
export type ReportedEvent = {
  id: number;
  person: number | null;
  at: number;
  /** Replaces the key derived from kind and id, so that events of other kinds and people can share a key. */
  key?: string;
} & (
  | { platform: 'line'; kind: 'message' | 'follow' | 'unfollow' | 'group-message'; isUnblocked?: boolean }
  | { platform: 'facebook' | 'instagram'; kind: 'message' | 'echo' | 'postback' }
  | { platform: 'liveChat'; kind: 'message' | 'echo' }
  | {
      platform: 'whatsapp';
      kind: 'message' | 'sent' | 'delivered' | 'read' | 'failed';
      named: 'number' | 'user-id' | 'both';
    }
);

/** The ids of a person on each platform, in the platform's format. */
export function lineUser(person: number | null): string {
  return `U${String(person).padStart(32, 'a')}`;
}

export function scopedId(person: number | null): string {
  return `700000000000000${person}`;
}

export function visitor(person: number | null): string {
  return `v_${String.fromCharCode(65 + (person ?? 25)).repeat(20)}`;
}

export function bodyOf(event: ReportedEvent): string {
  if (event.platform === 'line') return lineBody(event);
  if (event.platform === 'liveChat') return liveChatBody(event);
  return event.platform === 'whatsapp' ? whatsappBody(event) : metaBody(event);
}

/** One delivery with several events of one platform. */
export function bodyOfAll(events: readonly ReportedEvent[]): string {
  const bodies: Record<string, unknown>[] = events.map((event) => JSON.parse(bodyOf(event)));
  const list = (name: string) => bodies.flatMap((body) => (Array.isArray(body[name]) ? body[name] : []));
  const name = bodies.some((body) => 'events' in body) ? 'events' : 'entry';
  return JSON.stringify({ ...bodies[0], [name]: list(name) });
}

function lineBody({
  kind,
  id,
  person,
  at,
  key = `${kind}-${id}`,
  isUnblocked = false,
}: Extract<ReportedEvent, { platform: 'line' }>): string {
  const isGroup = kind === 'group-message';
  const type = isGroup ? 'message' : kind;
  const source = isGroup
    ? { type: 'group', groupId: 'C1', userId: lineUser(person) }
    : { type: 'user', userId: lineUser(person) };
  return JSON.stringify({
    destination: 'U00000000000000000000000000000000',
    events: [
      {
        type,
        webhookEventId: key,
        timestamp: at,
        mode: 'active',
        deliveryContext: { isRedelivery: false },
        ...(person === null ? {} : { source }),
        ...(type === 'message' ? { message: { type: 'text', id: String(id), text: 'hi' } } : {}),
        ...(type === 'follow' ? { follow: { isUnblocked } } : {}),
      },
    ],
  });
}

/** What a visitor writes (`message`), or the business (`echo`). */
function liveChatBody({
  kind,
  id,
  person,
  at,
  key = `${kind}-${id}`,
}: Extract<ReportedEvent, { platform: 'liveChat' }>): string {
  const sender = kind === 'echo' ? { agentId: 'agent' } : {};
  return JSON.stringify({
    ...{
      v: 1,
      id: key,
      type: 'message.created',
      timestamp: at,
      visitorId: visitor(person),
      ...sender,
    },
    message: { kind: 'text', text: 'hi' },
  });
}

function metaBody({
  platform,
  kind,
  id,
  person,
  at,
  key: mid = `m_${kind}_${id}`,
}: Extract<ReportedEvent, { platform: 'facebook' | 'instagram' }>): string {
  const account = { id: 'account' };
  const party = person === null ? {} : { id: scopedId(person) };
  const [sender, recipient] = kind === 'echo' ? [account, party] : [party, account];
  const item =
    kind === 'postback'
      ? { postback: { mid, title: 'Menu', payload: 'x' } }
      : { message: { mid, text: 'hi', ...(kind === 'echo' ? { is_echo: true } : {}) } };
  return JSON.stringify({
    object: platform === 'facebook' ? 'page' : 'instagram',
    entry: [
      {
        id: 'account',
        time: at,
        messaging: [{ sender, recipient, timestamp: at, ...item }],
      },
    ],
  });
}

function whatsappBody({
  kind,
  id,
  person,
  named,
  at,
  key = `wamid.${kind === 'message' ? 'in' : 'out'}${id}`,
}: Extract<ReportedEvent, { platform: 'whatsapp' }>): string {
  const number = named === 'user-id' || person === null ? '' : `88690000000${person}`;
  const userId = named === 'number' || person === null ? undefined : `user.${person}`;
  const timestamp = String(at / 1_000);
  const value =
    kind === 'message'
      ? {
          contacts: [{ profile: { name: 'x' }, wa_id: number, ...(userId ? { user_id: userId } : {}) }],
          messages: [
            {
              from: number,
              ...(userId ? { from_user_id: userId } : {}),
              id: key,
              timestamp,
              type: 'text',
              text: { body: 'hi' },
            },
          ],
        }
      : {
          statuses: [
            {
              id: key,
              status: kind,
              timestamp,
              recipient_id: number,
              ...(userId ? { recipient_user_id: userId } : {}),
            },
          ],
        };
  return JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [
      {
        id: 'waba',
        changes: [
          {
            field: 'messages',
            value: { messaging_product: 'whatsapp', metadata: { phone_number_id: 'account' }, ...value },
          },
        ],
      },
    ],
  });
}
