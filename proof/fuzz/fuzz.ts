/**
 * Fuzz: calls of every operation of the contracts, and signed webhook bodies, valid and changed, many at a time.
 *
 * It works in rounds. Each round has new bots and ends with the checks of all figures. Only then its calls and bodies count.
 */
import { Failure, type Part, type Proving } from '../part.ts';
import { World } from '../world/world.ts';
import { readOperations } from './operations.ts';
import { Round, type Setting } from './round.ts';
import { Connections } from './send.ts';

export const fuzz: Part = {
  name: 'fuzz',
  summary:
    'calls every operation of the APIs and delivers webhooks, valid and damaged, and checks each answer and the figures',
  seconds: { full: 300, quick: 12 },
  run: runFuzz,
};

const roundNumbers = 30_000;
const answerMsMax = 5_000;
/** The short form also runs on machines that are busy with other tests. */
const quickAnswerMsMax = 30_000;
const connections = { usual: { connections: 24, pipelines: 4 }, limited: { connections: 2, pipelines: 1 } };
const defaultLimits = {
  ...{ SHOAL_RATE_LIMIT: '600', SHOAL_ADMIN_RATE_LIMIT: '600', SHOAL_INSIGHT_RATE_LIMIT: '60' },
  ...{ SHOAL_CHAT_VISITOR_LIMIT: '30', SHOAL_CHAT_ADDRESS_LIMIT: '1200' },
};
/** Made even if the seconds are over, because opening the world takes some of them. */
const numbersMin = 600;
/** Valid calls after which an operation must have had a success. Of the rarest, one valid call in about twenty succeeds. */
const validCallsMin = 1_000;

async function runFuzz(proving: Proving): Promise<void> {
  const world = await World.open(proving, { env: { SHOAL_CHAT_IMAGES: 'always', SHOAL_COLLECT: 'off' } });
  const address = await world.startAnother(defaultLimits);
  const setting: Setting = {
    world,
    operations: await readOperations(),
    usual: { address: world.address, connections: new Connections(world.address, connections.usual) },
    limited: { address, connections: new Connections(address, connections.limited) },
    answerMsMax: proving.isQuick ? quickAnswerMsMax : answerMsMax,
  };
  proving.ends.after(() =>
    Promise.all([setting.usual, setting.limited].map((one) => one.connections.close())),
  );
  const ofOperations: Round['ofOperations'] = new Map();
  const startedAt = performance.now();
  let passed = 0;
  let slowestMs = 0;
  for (let number = 0, round = 1; !proving.isOver() || number === 0; round++) {
    const running = await Round.open(setting, round);
    number = await running.run(
      number,
      number + roundNumbers,
      (next) => proving.isOver() && next >= numbersMin,
    );
    for (const [row, columns] of running.tally)
      for (const [column, count] of columns) {
        proving.count(row, column, count);
        if (column === 'total' && row !== 'connections') passed += count;
      }
    merge(ofOperations, running.ofOperations);
    slowestMs = Math.max(slowestMs, running.slowestMs);
    const rate = Math.round((passed / (performance.now() - startedAt)) * 1_000);
    proving.say(`${passed} calls and bodies passed, ${rate} a second with the checks`);
  }
  report(proving, ofOperations, slowestMs);
}

function merge(into: Round['ofOperations'], from: Round['ofOperations']): void {
  for (const [id, counts] of from) {
    const sum = into.get(id) ?? { calls: 0, valid: 0, good: 0, notBuilt: 0 };
    for (const key of ['calls', 'valid', 'good', 'notBuilt'] as const) sum[key] += counts[key];
    into.set(id, sum);
  }
}

/** The share of successes of each operation. Without any, the fuzzer itself is at fault. */
function report(proving: Proving, ofOperations: Round['ofOperations'], slowestMs: number): void {
  proving.measure({ what: 'slowest answer', value: Math.round(slowestMs), unit: 'ms' });
  const shares = [...ofOperations].map(([id, { calls, good }]) => ({ id, share: (100 * good) / calls }));
  for (const { id, share } of shares.sort((a, b) => a.share - b.share))
    proving.measure({ what: `answers 2xx of ${id}`, value: Math.round(share), unit: '%' });
  const never = [...ofOperations].filter(
    ([, { valid, good, notBuilt }]) => good === 0 && notBuilt === 0 && valid >= validCallsMin,
  );
  if (never.length > 0)
    throw new Failure(`the fuzzer has no successful call of ${never.map(([id]) => id).join(', ')}`, never);
}
