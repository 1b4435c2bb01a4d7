/**
 * `shoal cluster`: distributing the tables over the nodes of Citus, and the state of the nodes.
 */
import { type ClusterNode, checkDistribution, distribute, readNodes } from '../database/cluster.ts';
import { renderLine, type ShoalCommand } from './command.ts';
import type { CommandContext } from './context.ts';
import { withProgress } from './progress.ts';

/** Adds the commands. */
export function register(program: ShoalCommand, context: CommandContext): void {
  const cluster = program.add('cluster', 'A database that is distributed by Citus: distribute, status.');
  cluster
    .command('distribute')
    .description(
      'Distribute the tables of all bots over the nodes of the cluster, with their rows. Continues an interrupted run. Stop every server first.',
    )
    .option('--check', 'only check the database and list the tables')
    .answer(({ check = false }: { check?: boolean }) => async (sql) => {
      const run = check
        ? checkDistribution(sql)
        : withProgress(context, 'tables', (progress) => distribute(sql, progress));
      const { tables, nodes } = await run;
      const names = tables.length === 0 ? 'none, all are distributed' : tables.join(', ');
      const text = `${check ? 'To distribute' : 'Distributed'} over ${nodes} nodes: ${names}`;
      return { json: { check, nodes, tables }, text };
    });
  cluster
    .command('status')
    .description('List the nodes with their shards, bots, bytes and prepared transactions.')
    .answer(() => async (sql) => {
      const nodes = await readNodes(sql);
      return { json: { nodes }, text: nodes.map(render).join('\n') };
    });
}

function render({ host, port, isActive, shards, bots, bytes, prepared }: ClusterNode): string {
  return renderLine(
    ...[`${host}:${port}`, isActive ? 'active' : 'not active', `${shards} shards`, `${bots} bots`],
    ...[`${bytes} bytes`, `${prepared} prepared transactions`],
  );
}
