import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOnCitus, testDatabase } from '../../tests/harness/database.ts';
import { attachNodes, nodeOf, readServers } from './nodes.ts';
import { connect } from './pool.ts';

const looksMax = 200;

test('without worker nodes, all hosts of a URL are alternatives, and every read uses the same pool', async (t) => {
  const { sql, url } = await testDatabase(t);
  const { host } = new URL(url);
  const several = url.replace(host, `127.0.0.1:1,${host}`);
  assert.deepEqual(await readServers(several), { main: several, nodes: new Map() });
  assert.deepEqual(await readServers(url), { main: url, nodes: new Map() });
  assert.equal(nodeOf(sql, 'shop'), sql);
});

test('a read of a bot uses the pool of the node that holds it once the look-up has found it, otherwise the coordinator', async (t) => {
  const { sql, url } = await testDatabase(t);
  const node = connect(url, { max: 1, applicationName: 'shoal test node' });
  try {
    attachNodes(sql, new Map([[new URL(url).host, node]]));
    assert.equal(nodeOf(sql, 'shop'), sql);
    // The look-up is sent before these statements, but on another connection.
    for (let look = 0; nodeOf(sql, 'shop') === sql && look < looksMax; look++) await sql`select 1`;
    assert.equal(nodeOf(sql, 'shop'), isOnCitus ? node : sql);
    await sql.begin(async (tx) => assert.equal(nodeOf(tx, 'shop'), tx));
  } finally {
    await node.end();
  }
});
