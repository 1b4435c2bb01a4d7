/** The CPU time of PostgreSQL's processes, from /proc. */
import { readdir, readFile } from 'node:fs/promises';
import type { Sql } from '../src/database/client.ts';

const ticksPerSecond = 100;
/** For queries: the process id of the postmaster. */
export const pidQuery = "select split_part(pg_read_file('postmaster.pid'), chr(10), 1)";

export async function postmasterOf(sql: Sql): Promise<number> {
  const [row] = await sql.unsafe<{ pid: string }[]>(`${pidQuery} as pid`);
  return Number(row?.pid);
}

/** The CPU seconds of a server's processes, also of those that have ended. */
export async function cpuOf(postmaster: number): Promise<number> {
  let ticks = 0;
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await statOf(Number(name)).catch(() => undefined);
    if (stat === undefined) continue;
    const isPostmaster = Number(name) === postmaster;
    if (!isPostmaster && stat.parent !== postmaster) continue;
    ticks += stat.ticks + (isPostmaster ? stat.childTicks : 0);
  }
  return ticks / ticksPerSecond;
}

/** Fields of proc(5) after the name of the program. */
async function statOf(pid: number): Promise<{ parent: number; ticks: number; childTicks: number }> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8');
  const [, parent, , , , , , , , , , user, system, childUser, childSystem] = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  return {
    parent: parent ?? 0,
    ticks: (user ?? 0) + (system ?? 0),
    childTicks: (childUser ?? 0) + (childSystem ?? 0),
  };
}
