/** WhatsApp's `history` webhooks: chats of the phone app from before coexistence (manual: "history webhook reference"). */
import { secondMs } from '../../src/time.ts';
import type { SimulatedEvent } from '../events/event.ts';
import { phrase } from '../events/texts.ts';
import { whatsappBody } from '../whatsapp-bodies.ts';

const threadsPerBody = 20;

type Numbers = { businessAccountId: string; phoneNumberId: string; phoneNumber: string };

/** The bodies about the messages: one for each 20 chats. People without a number are not in the history. */
export function historyBodies(
  messages: readonly SimulatedEvent[],
  { businessAccountId, phoneNumberId, phoneNumber }: Numbers,
): object[] {
  const threads = [...Map.groupBy(messages, ({ person }) => person?.id ?? '')].filter(([id]) => id !== '');
  const count = Math.ceil(threads.length / threadsPerBody);
  return Array.from({ length: count }, (_, index) => {
    const part = threads.slice(index * threadsPerBody, (index + 1) * threadsPerBody);
    const progress = Math.round(((index + 1) * 100) / count);
    const history = {
      metadata: { phase: 1, chunk_order: index + 1, progress },
      threads: part.map(([id, events]) => ({
        id,
        messages: events.map((event) => item(event, phoneNumber)),
      })),
    };
    const value = {
      messaging_product: 'whatsapp',
      metadata: { display_phone_number: phoneNumber, phone_number_id: phoneNumberId },
      history: [history],
    };
    return whatsappBody(businessAccountId, [{ value, field: 'history' }]);
  });
}

function item(event: SimulatedEvent, phoneNumber: string): object {
  const { id, kind, person, statuses = [] } = event;
  const isSent = kind === 'answer';
  const at = isSent && statuses.length > 0 ? Math.min(...statuses.map((status) => status.at)) : event.at;
  return {
    from: isSent ? phoneNumber : person?.id,
    id,
    timestamp: String(at / secondMs),
    type: 'text',
    text: { body: phrase(id) },
    history_context: { status: statuses.some(({ status }) => status === 'failed') ? 'ERROR' : 'READ' },
  };
}
