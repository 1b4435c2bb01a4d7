/**
 * Single changes of points, each in a transaction of its own.
 */
import type { Sql } from '../../src/database/client.ts';
import { repeatedTransaction } from '../../src/database/repeated-transaction.ts';
import type { PointChange } from '../../src/points/change.ts';
import { type PointResult, writePoint } from '../../src/points/ledger.ts';

type Kind = PointChange['kind'];
type Change<K extends Kind> = { botId: string } & Omit<Extract<PointChange, { kind: K }>, 'kind'>;

export const earn = writer('earn');
export const spend = writer('spend');
export const transfer = writer('transfer');
export const adjust = writer('adjust');
export const reverse = writer('reverse');
export const clear = writer('clear');

function writer<K extends Kind>(kind: K) {
  return (sql: Sql, { botId, ...rest }: Change<K>, { now }: { now: number }): Promise<PointResult> => {
    const change = { kind, ...rest } as unknown as PointChange;
    return repeatedTransaction(sql, (tx) => writePoint(tx, botId, change, { now }));
  };
}
