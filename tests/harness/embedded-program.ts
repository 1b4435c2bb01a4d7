/**
 * A process that uses a data folder's embedded PostgreSQL, for tests with several such processes.
 *
 *     node embedded-program.ts FOLDER serve|command [UNREACHABLE_MS]
 *
 * It prints one line of JSON once connected ({ address } or { refused }), then one for each line of SQL on stdin ({ rows }
 * or { failed }), and exits in order when stdin ends. Ctrl-C does not end it.
 */
import { createInterface } from 'node:readline';
import { pino } from 'pino';
import { openEmbedded } from '../../src/database/embedded/embedded.ts';
import { connect } from '../../src/database/pool.ts';
import { Refusal } from '../../src/errors.ts';

const [dataFolder = '', role, unreachableMs] = process.argv.slice(2);
const log = pino({ level: 'warn' }, pino.destination(2));
const print = (value: unknown): void => console.log(JSON.stringify(value));
process.on('SIGINT', () => undefined);

try {
  const embedded = await openEmbedded({
    ...{ dataFolder, exclusive: role === 'serve', log },
    ...(unreachableMs === undefined ? {} : { unreachableMsMax: Number(unreachableMs) }),
  });
  const sql = connect(embedded.address, { max: 2, applicationName: 'shoal test' });
  print({ address: embedded.address });
  for await (const line of createInterface(process.stdin)) {
    await sql.unsafe(line).then(
      (rows) => print({ rows: [...rows] }),
      (error) => print({ failed: error.message }),
    );
  }
  await sql.end();
  await embedded.release();
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  print({ refused: error.message });
}
