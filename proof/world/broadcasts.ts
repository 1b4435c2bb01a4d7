/**
 * Sends of the send job to people of the simulated LINE, by push and by multicast, some with lost answers, while leases of the job are
 * taken away. Each recipient gets the message of each send exactly once, under the request id that Shoal has stored.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { ulid } from 'ulid';
import { randomOf } from '../../simulator/events/random.ts';
import { Failure } from '../part.ts';
import { Calls, Lanes, untilAnswered, type Work } from './work.ts';
import { expectNone, until, type World } from './world.ts';

const people = 25;
const pauseMs = { min: 100, max: 800 };
const lostShare = 0.3;
const sendPaths = ['/v2/bot/message/push', '/v2/bot/message/multicast'];

export function broadcasts(world: World): Work {
  const { sql, botId, line, proving } = world;
  const random = randomOf(proving.seed, 'broadcasts');
  const calls = new Calls(world);
  const userIds: string[] = [];
  const sendIds = new Set<number>();
  const create = async (isPersonal: boolean) => {
    const key = ulid();
    const message = { text: isPersonal ? `{{name|hello}} ${key}` : `hello ${key}` };
    const answer = await untilAnswered(() =>
      calls.make(`${world.address}/api/v1/bots/${botId}/sends`, {
        token: world.adminToken,
        headers: { 'idempotency-key': key },
        body: JSON.stringify({ name: key, platform: 'line', contacts: userIds, message }),
      }),
    );
    if (answer.status !== 200 && answer.status !== 201)
      throw new Failure(`a send answered ${answer.status}`, answer.text);
    sendIds.add(JSON.parse(answer.text).sendId);
  };
  const sending = new Lanes(world, 1, async () => {
    if (random.chance(lostShare)) {
      const path = sendPaths[random.integer(0, sendPaths.length - 1)] ?? '';
      line.control.fail({ kind: 'cut', path, when: 'after' });
    }
    await create(random.chance(0.5));
    // After a kill of PostgreSQL the next step does it.
    await goOn(world).catch(() => undefined);
    await pause(random.integer(pauseMs.min, pauseMs.max));
  });
  return {
    name: 'send job',
    async prepare() {
      for (let index = 0; index < people; index++)
        userIds.push((await line.control.act({ action: 'follow' })).userId);
      await sql`
        insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
        select ${botId}, 'Broadcast' || chr(64 + place::integer), 'line', user_id, now()
        from unnest(${userIds}::text[]) with ordinality as people (user_id, place)`;
    },
    start: () => sending.start(),
    stop: () => sending.stop(),
    underWay: () => calls.underWay + openCalls(world),
    async check() {
      line.control.heal();
      await until('all sends are done', async () => {
        await goOn(world);
        const open = await sql`select from sends where bot_id = ${botId} and state <> 'done' limit 1`;
        return open.length === 0;
      });
      // Their records are deliveries.
      await world.settle();
      const rows = await sql<{ sendId: number; state: string; received: string }[]>`
        select send_id as "sendId", state, message_id || ' ' || platform_contact_id as received
        from send_recipients recipient join contacts
          on contacts.bot_id = ${botId} and contacts.contact_id = recipient.contact_id
        where recipient.bot_id = ${botId}`;
      expectNone(
        'recipients have no message',
        rows.filter(({ state }) => state !== 'accepted'),
      );
      if (rows.length !== sendIds.size * people)
        throw new Failure(`${sendIds.size} sends have ${rows.length} recipients`);
      const recipients = new Set(userIds);
      const received = line.control
        .truth()
        .sends.flatMap((send) => send.recipients.map((userId) => ({ userId, requestId: send.requestId })))
        .filter(({ userId }) => recipients.has(userId))
        .map(({ userId, requestId }) => `${requestId} ${userId}`);
      const stored = new Set(rows.map((row) => row.received));
      expectNone('messages arrived that no recipient has', new Set(received).difference(stored));
      expectNone('messages did not arrive', stored.difference(new Set(received)));
      if (received.length !== rows.length || stored.size !== rows.length)
        throw new Failure(`${rows.length} recipients got ${received.length} messages`);
    },
  };
}

/** Takes the lanes from their processes, killed or not, and ends the pauses after failures. */
async function goOn({ sql, botId }: World): Promise<void> {
  await sql`update send_lanes set leased_until = now() where bot_id = ${botId}`;
  await sql`update sends set due_at = now() where bot_id = ${botId} and state = 'running' and due_at > now()`;
}

/** Calls of the job without an answer. */
function openCalls({ line }: World): number {
  return line.control.calls
    .slice(-people)
    .filter(({ path, status }) => sendPaths.includes(path) && status === 0).length;
}
