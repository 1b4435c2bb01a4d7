/** Points earned and spent with idempotency keys. Every acknowledged change is stored once, with its amount. */
import { setTimeout as pause } from 'node:timers/promises';
import { randomOf } from '../../simulator/events/random.ts';
import { lineUser } from '../../tests/harness/webhooks.ts';
import { Failure } from '../part.ts';
import { Calls, Lanes, untilAnswered, type Work } from './work.ts';
import { expectNone, type World } from './world.ts';

const people = 40;
const lanes = 3;
const pauseMsMax = 60;
const refused = 409;

/** `changes`: receives the key of each acknowledged change. */
export function points(world: World, acknowledgedKeys: Set<string>): Work {
  const { sql, botId, proving } = world;
  const random = randomOf(proving.seed, 'points');
  const calls = new Calls(world);
  let contactIds: string[] = [];
  /** The amounts of acknowledged changes by key since the last check; 0: refused. */
  const amounts = new Map<string, number>();
  let number = 0;
  let balance = 0;
  const changing = new Lanes(world, lanes, async () => {
    number += 1;
    const key = `key-${number}`;
    const kind = random.pick(['earn', 'earn', 'spend'] as const);
    const amount = random.integer(1, 100);
    const contactId = contactIds[random.integer(0, contactIds.length - 1)] ?? '';
    const { status, text } = await untilAnswered(() =>
      calls.make(`${world.address}/api/v1/bots/${botId}/contacts/${contactId}/points/${kind}`, {
        token: world.adminToken,
        body: JSON.stringify({ amount }),
        headers: { 'idempotency-key': key },
      }),
    );
    if (status !== 200 && status !== refused) throw new Failure(`points answered ${status}`, text);
    amounts.set(key, status === refused ? 0 : kind === 'earn' ? amount : -amount);
    if (status === 200) acknowledgedKeys.add(key);
    await pause(random.integer(0, pauseMsMax));
  });
  return {
    name: 'points',
    async prepare() {
      const lines = Array.from({ length: people }, (_, index) => `line,${lineUser(`points-${index}`)}`);
      const { status, text } = await untilAnswered(() =>
        calls.make(`${world.address}/api/v1/bots/${botId}/imports/contacts`, {
          token: world.adminToken,
          body: ['platform,platform_contact_id', ...lines].join('\n'),
          headers: { 'content-type': 'text/csv' },
        }),
      );
      if (status !== 200) throw new Failure(`the import answered ${status}`, text);
      const rows = await sql<{ contactId: string }[]>`
        select contact_id as "contactId" from contacts where bot_id = ${botId}`;
      contactIds = rows.map(({ contactId }) => contactId);
    },
    start: () => changing.start(),
    stop: () => changing.stop(),
    underWay: () => calls.underWay,
    async check() {
      const rows = await sql<{ key: string; amount: number; entries: number }[]>`
        select key, sum(amount)::integer as amount, count(*)::integer as entries from point_entries
        where bot_id = ${botId} and key = any(${[...amounts.keys()]}) group by key`;
      const stored = new Map(rows.map((row) => [row.key, row]));
      const wrong = [...amounts].filter(([key, amount]) => {
        const entry = stored.get(key);
        return amount === 0 ? entry !== undefined : entry?.amount !== amount || entry.entries !== 1;
      });
      expectNone('acknowledged changes of points are not stored once', wrong);
      balance += [...amounts.values()].reduce((sum, amount) => sum + amount, 0);
      amounts.clear();
      const [row] = await sql<{ balance: number }[]>`
        select coalesce(sum(balance), 0)::integer as balance from point_accounts where bot_id = ${botId}`;
      if (row?.balance !== balance) throw new Failure(`the balances are ${row?.balance}, not ${balance}`);
    },
  };
}
