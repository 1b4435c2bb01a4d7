/** Faults of PostgreSQL: frozen, stopped, out of connections, and its disk full. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openClient } from '../../src/database/client.ts';
import type { Proving } from '../part.ts';
import { until } from '../world/world.ts';
import type { Fault } from './fault.ts';

const maxConnections = 100;
const endingPauseMs = 200;

export const frozen: Fault = {
  name: 'PostgreSQL frozen',
  seconds: { full: 60, quick: 2 },
  async run({ world, seconds }) {
    await world.cluster.signalAll('SIGSTOP');
    try {
      await pause(seconds * 1_000);
    } finally {
      await world.cluster.signalAll('SIGCONT');
    }
  },
};

export const stopped: Fault = {
  name: 'PostgreSQL stopped',
  seconds: { full: 60, quick: 2 },
  async run({ world, seconds }) {
    await world.cluster.stop();
    await pause(seconds * 1_000);
    await world.cluster.start();
  },
};

/** Shoal's connections are ended, and other programs take every slot that becomes free. */
export const outOfConnections: Fault = {
  name: 'PostgreSQL out of connections',
  seconds: { full: 30, quick: 2 },
  async run({ world, seconds }) {
    const { url } = world.cluster;
    const own = openClient(url, { max: 1, applicationName: 'shoal proof', lost: () => undefined });
    // Opened before the others take every slot.
    await own`select 1`;
    const hold = new AbortController();
    const holding = Array.from({ length: maxConnections }, () => takeConnection(url, hold.signal));
    const endShoals = async (): Promise<number> => {
      const ended = await own`
        select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'shoal serve%'`;
      return ended.length;
    };
    try {
      await until('Shoal has no connection', async () => (await endShoals()) === 0, endingPauseMs);
      const endsAt = performance.now() + seconds * 1_000;
      while (performance.now() < endsAt) {
        await pause(endingPauseMs);
        await endShoals();
      }
    } finally {
      hold.abort();
    }
    await Promise.all(holding);
    await own.end({ timeout: 1 });
  },
};

/** Holds a connection until the signal. Tries again at once when it is refused. */
async function takeConnection(url: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const client = openClient(url, { max: 1, applicationName: 'shoal proof hog', lost: () => undefined });
    try {
      while (!signal.aborted) await client`select pg_sleep(0.2)`;
    } catch {
      // Refused: there is no free slot.
      await pause(5);
    }
    await client.end({ timeout: 0 });
  }
}

const megabyte = 1024 * 1024;
const diskMegabytes = 900;

/** Mounts a small disk of memory until the part ends, and returns its folder. Null: mounting is not allowed here. */
export function mountSmallDisk({ atLast, notAvailable }: Proving): string | null {
  const disk = mkdtempSync(join(tmpdir(), 'shoal-disk-'));
  const options = ['-t', 'tmpfs', '-o', `size=${diskMegabytes}m,mode=755`];
  try {
    execFileSync('mount', [...options, 'shoal-proof', disk], { stdio: 'pipe' });
  } catch (error) {
    rmSync(disk, { recursive: true });
    notAvailable('disk full', `no small disk can be mounted: ${String(error).split('\n')[0]}`);
    return null;
  }
  atLast(() => {
    execFileSync('umount', [disk]);
    rmSync(disk, { recursive: true });
  });
  return disk;
}

/** The disk fills up, so that PostgreSQL can write neither tables nor its log, and is freed. */
export function diskFull(disk: string): Fault {
  const ballast = join(disk, 'ballast');
  return {
    name: 'disk full',
    seconds: { full: 30, quick: 2 },
    async run({ world, seconds }) {
      const { bavail, bsize } = statfsSync(disk);
      for (let left = bavail * bsize; left > 0; left -= megabyte) {
        const written = await writeFile(ballast, Buffer.alloc(megabyte), { flag: 'a' }).catch(() => false);
        if (written === false) break;
      }
      // Fills what becomes free, until the fault ends.
      const endsAt = performance.now() + seconds * 1_000;
      while (performance.now() < endsAt) {
        await writeFile(ballast, Buffer.alloc(bsize), { flag: 'a' }).catch(() => pause(20));
      }
      await rm(ballast);
      // PostgreSQL ends when it cannot write its log. A service manager starts it again.
      await world.cluster.startIfEnded();
    },
  };
}
