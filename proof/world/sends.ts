/**
 * Sends through the gateway to a simulated LINE that loses answers. Every confirmed send is recorded once, and no send is recorded
 * that LINE did not accept.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { randomOf } from '../../simulator/events/random.ts';
import { Failure } from '../part.ts';
import { type Answer, Calls, Lanes, untilAnswered, type Work } from './work.ts';
import { expectNone, type World } from './world.ts';

const people = 12;
const lanes = 2;
const pauseMsMax = 100;
const lostShare = 0.15;
const keyedShare = 0.8;
const pushPath = '/v2/bot/message/push';

export function sends(world: World): Work {
  const { sql, botId, line, proving } = world;
  const random = randomOf(proving.seed, 'sends');
  const calls = new Calls(world);
  const recipients: string[] = [];
  /** LINE's request ids that were confirmed since the last check. */
  const confirmed = new Set<string>();
  const push = (to: string, retryKey: string | null): Promise<Answer> =>
    calls.make(`${world.address}${pushPath}`, {
      token: line.credentials.accessToken,
      body: JSON.stringify({ to, messages: [{ type: 'text', text: 'hello' }] }),
      headers: retryKey === null ? {} : { 'x-line-retry-key': retryKey },
    });
  const sending = new Lanes(world, lanes, async () => {
    if (random.chance(lostShare)) line.control.fail({ kind: 'cut', path: pushPath, when: 'after' });
    const retryKey = random.chance(keyedShare) ? randomUUID() : null;
    const to = recipients[random.integer(0, recipients.length - 1)] ?? '';
    // A send without a key is never repeated: its outcome is unknown when no answer comes.
    const answer =
      retryKey === null ? await push(to, null) : await untilAnswered(() => push(to, retryKey), isRepeatable);
    if (answer.status > 0 && answer.status < 500) confirmed.add(acceptedId(answer));
    await pause(random.integer(0, pauseMsMax));
  });
  return {
    name: 'sends',
    async prepare() {
      for (let index = 0; index < people; index++)
        recipients.push((await line.control.act({ action: 'follow' })).userId);
    },
    start: () => sending.start(),
    stop: () => sending.stop(),
    underWay: () => calls.underWay,
    async check() {
      line.control.heal();
      const accepted = new Set(line.control.truth().sends.map(({ requestId }) => requestId));
      const rows = await sql<{ requestId: string }[]>`
        select request_id as "requestId" from line_sends where bot_id = ${botId}`;
      const recorded = new Set(rows.map(({ requestId }) => requestId));
      expectNone('confirmed sends are not recorded', confirmed.difference(recorded));
      expectNone('recorded sends were never accepted by LINE', recorded.difference(accepted));
      const [row] = await sql<{ counted: number; recipients: number }[]>`
        select (select coalesce(sum(recipients), 0)::integer from line_send_days where bot_id = ${botId}) as counted,
          (select coalesce(sum(recipients), 0)::integer from line_sends where bot_id = ${botId}) as recipients`;
      if (row?.counted !== row?.recipients)
        throw new Failure('the recorded and counted recipients differ', row);
      confirmed.clear();
    },
  };
}

/** An outage, or a send that LINE accepted while Shoal could not record it: 500, to be repeated with the same key. */
function isRepeatable({ status, headers }: Answer): boolean {
  return status > 500 || headers.has('x-line-accepted-request-id');
}

/** LINE's request id of the accepted send: that of the first call, if the key was used before. */
function acceptedId({ status, text, headers }: Answer): string {
  const header = status === 409 ? 'x-line-accepted-request-id' : 'x-line-request-id';
  const id = headers.get(header);
  if ((status !== 200 && status !== 409) || id === null) throw new Failure(`a push answered ${status}`, text);
  return id;
}
