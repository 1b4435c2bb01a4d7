/**
 * What each platform would send to tell of one event: small bodies for property tests.
 */

export type Told =
  | {
      platform: 'line';
      kind: 'message' | 'follow' | 'unfollow' | 'group-message';
      id: number;
      person: number;
      at: number;
    }
  | {
      platform: 'facebook' | 'instagram';
      kind: 'message' | 'echo' | 'postback';
      id: number;
      person: number;
      at: number;
    }
  | { platform: 'liveChat'; kind: 'message' | 'echo'; id: number; person: number; at: number }
  | {
      platform: 'whatsapp';
      kind: 'message' | 'sent' | 'delivered' | 'read' | 'failed';
      id: number;
      person: number;
      named: 'number' | 'user-id' | 'both';
      at: number;
    };

export function bodyOf(told: Told): string {
  if (told.platform === 'line') return lineBody(told);
  if (told.platform === 'liveChat') return liveChatBody(told);
  return told.platform === 'whatsapp' ? whatsappBody(told) : metaBody(told);
}

/** One delivery that tells of several events of one platform. */
export function bodyOfAll(told: readonly Told[]): string {
  const bodies: Record<string, unknown>[] = told.map((event) => JSON.parse(bodyOf(event)));
  const list = (name: string) => bodies.flatMap((body) => (Array.isArray(body[name]) ? body[name] : []));
  const name = bodies.some((body) => 'events' in body) ? 'events' : 'entry';
  return JSON.stringify({ ...bodies[0], [name]: list(name) });
}

function lineBody({ kind, id, person, at }: Extract<Told, { platform: 'line' }>): string {
  const isGroup = kind === 'group-message';
  const type = isGroup ? 'message' : kind;
  return JSON.stringify({
    destination: 'U00000000000000000000000000000000',
    events: [
      {
        type,
        webhookEventId: `${kind}-${id}`,
        timestamp: at,
        mode: 'active',
        deliveryContext: { isRedelivery: false },
        source: isGroup
          ? { type: 'group', groupId: 'C1', userId: `U${person}` }
          : { type: 'user', userId: `U${person}` },
        ...(type === 'message' ? { message: { type: 'text', id: String(id), text: 'hi' } } : {}),
        ...(type === 'follow' ? { follow: { isUnblocked: false } } : {}),
      },
    ],
  });
}

/** What a visitor writes (`message`), or the business (`echo`). */
function liveChatBody({ kind, id, person, at }: Extract<Told, { platform: 'liveChat' }>): string {
  const sender = kind === 'echo' ? { agentId: 'agent' } : {};
  return JSON.stringify({
    ...{
      v: 1,
      id: `${kind}-${id}`,
      type: 'message.created',
      timestamp: at,
      visitorId: `v_${person}`,
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
}: Extract<Told, { platform: 'facebook' | 'instagram' }>): string {
  const mid = `m_${kind}_${id}`;
  const [sender, recipient] = kind === 'echo' ? ['account', `P${person}`] : [`P${person}`, 'account'];
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
        messaging: [{ sender: { id: sender }, recipient: { id: recipient }, timestamp: at, ...item }],
      },
    ],
  });
}

function whatsappBody({ kind, id, person, named, at }: Extract<Told, { platform: 'whatsapp' }>): string {
  const number = named === 'user-id' ? '' : `88690000000${person}`;
  const userId = named === 'number' ? undefined : `user.${person}`;
  const timestamp = String(at / 1_000);
  const value =
    kind === 'message'
      ? {
          contacts: [{ profile: { name: 'x' }, wa_id: number, ...(userId ? { user_id: userId } : {}) }],
          messages: [
            {
              from: number,
              ...(userId ? { from_user_id: userId } : {}),
              id: `wamid.in${id}`,
              timestamp,
              type: 'text',
              text: { body: 'hi' },
            },
          ],
        }
      : {
          statuses: [
            {
              id: `wamid.out${id}`,
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
