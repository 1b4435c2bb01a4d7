/**
 * Backfills: the process that collects Meta's figures is killed during the backfill of each kind. A round is a simulator with a year of
 * figures, and a bot with six backfills (tests/reliability/killed-backfills.ts). A round's kills count after its checks.
 */
import { migrate } from '../../src/database/migrate.ts';
import { connect } from '../../src/database/pool.ts';
import { killBackfills, backfills as kinds } from '../../tests/reliability/killed-backfills.ts';
import { Failure, type Part, type Proving } from '../part.ts';
import { ProofCluster } from '../world/cluster.ts';

const killsOfEach = { full: 10, quick: 1 };

export const backfills: Part = {
  name: 'backfills',
  summary: "kills the process that collects a year of Meta's figures, during each kind of figures",
  seconds: { full: 60, quick: 1 },
  run: runBackfills,
};

async function runBackfills(proving: Proving): Promise<void> {
  const { ends, seed, isQuick } = proving;
  const cluster = await ProofCluster.open(ends);
  const sql = connect(cluster.url, { max: 4, applicationName: 'shoal proof' });
  ends.after(() => sql.end({ timeout: 1 }));
  await migrate(sql);
  const count = isQuick ? killsOfEach.quick : killsOfEach.full;
  const kills = Object.fromEntries(kinds.map((kind) => [kind, count])) as Record<
    (typeof kinds)[number],
    number
  >;
  for (let round = 0; round === 0 || !proving.isOver(); round += 1) {
    const database = { sql, url: cluster.url };
    const survived = await killBackfills({ ends, database, seed: seed + round, kills }).catch(
      (error: unknown) => {
        throw new Failure(error instanceof Error ? error.message : String(error));
      },
    );
    for (const { kind, kills, calls } of survived) {
      proving.count(kind, 'kills', kills);
      proving.count(kind, 'calls needed', calls);
    }
    proving.say(`round ${round + 1} of ${kinds.length} backfills passed, ${count} kills each`);
  }
}
