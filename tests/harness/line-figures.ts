/**
 * Stores single figures of a LINE channel: one answer of LINE, or one send through the gateway.
 */
import type { Queryable, Sql } from '../../src/database/client.ts';
import type { SnapshotKind } from '../../src/line/answers.ts';
import { recordSends, type Send } from '../../src/line/sends.ts';
import { importSnapshots } from '../../src/line/snapshots.ts';

export function putSnapshot(
  sql: Sql,
  {
    botId,
    receivedAt: now,
    ...entry
  }: { botId: string; kind: SnapshotKind; day: string; value: unknown; receivedAt: number },
): ReturnType<typeof importSnapshots> {
  return importSnapshots(sql, { botId, entries: [entry] }, { now });
}

export async function recordSend(sql: Queryable, botId: string, send: Send): Promise<void> {
  await recordSends(sql, botId, [send]);
}
