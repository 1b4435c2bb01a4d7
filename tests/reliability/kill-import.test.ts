/** A process killed during an import from MantaGo, in a call or a moment after its answer. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SeededRandom } from '../../simulator/events/random.ts';
import { minuteMs } from '../../src/time.ts';
import { secretKey } from '../contract/mantago-server.ts';
import { addTheirClients, carried, type MovingIn, movingIn } from '../harness/moving-in.ts';

const program = fileURLToPath(new URL('../harness/mantago-import-process.ts', import.meta.url));
const seed = 20_261_201;
const kills = 6;
const momentMsMax = 15;
const clients = { from: 0, to: 249 };

test(`after ${kills} kills during an import every client, tag and entry of points is there once`, async (t) => {
  t.diagnostic(`seed ${seed}`);
  const random = new SeededRandom(seed);
  const undisturbed = await movingIn(t);
  await addTheirClients(undisturbed, clients);
  await undisturbed.start();
  assert.equal((await undisturbed.walk()).state, 'done');
  const world = await movingIn(t);
  await addTheirClients(world, clients);
  await world.start({ callsPerMinute: 6_000 });
  for (let kill = 0; kill < kills; kill += 1) await killDuringCall(world, { kill, random });
  const [code] = await once(startImporting(world, kills), 'exit');
  assert.equal(code, 0, 'the import did not end');
  assert.equal(JSON.stringify(await carried(world)), JSON.stringify(await carried(undisturbed)));
});

/** Starts a process, and kills it during its second call. Every other kill waits for the answer, and for a moment after it. */
async function killDuringCall(
  world: MovingIn,
  { kill, random }: { kill: number; random: SeededRandom },
): Promise<void> {
  const { behaviour, calls } = world.mantago;
  const [reached, died] = [Promise.withResolvers<void>(), Promise.withResolvers<undefined>()];
  const first = calls.length;
  const isCut = kill % 2 === 0;
  behaviour.before = async () => {
    if (calls.length - first !== 2) return undefined;
    reached.resolve();
    return isCut ? died.promise : undefined;
  };
  const child = startImporting(world, kill);
  const exit = once(child, 'exit');
  await Promise.race([reached.promise, exit]);
  if (!isCut) await pause(random.integer(0, momentMsMax));
  assert.ok(child.kill('SIGKILL'), 'the import ended before its kill');
  const [, signal] = await exit;
  assert.equal(signal, 'SIGKILL');
  behaviour.before = () => undefined;
  died.resolve(undefined);
}

/** The claim of a killed process is over when the next one starts. */
function startImporting({ server: { url, now }, botId }: MovingIn, starts: number) {
  const startedAt = now + 2 * minuteMs * (starts + 1);
  return fork(program, {
    env: {
      ...process.env,
      DATABASE_URL: url,
      SHOAL_SECRET_KEY: secretKey,
      BOT_ID: botId,
      NOW: String(startedAt),
    },
  });
}
