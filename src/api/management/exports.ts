/**
 * The operation that exports: rows as a download that goes on as fast as its reader takes them.
 *
 * An export holds a connection of a pool of its own and a transaction for as long as it runs. So few run at a time, a reader that
 * takes nothing for a while is given up, and when it goes away, or the server stops, the query ends. By then the answer has
 * begun: what fails is told by a connection that breaks off before the end.
 */

import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Logger } from 'pino';
import { type Caller, inLog } from '../../auth/caller.ts';
import type { Sql } from '../../database/client.ts';
import { Refusal } from '../../errors.ts';
import { type AskedExport, exportNames, tables, writeExport } from '../../exports/export.ts';
import { exportFormats } from '../../exports/format.ts';
import { Slots } from '../../http/slots.ts';
import { textOf } from '../../json.ts';
import { type Clock, hourMs, secondMs } from '../../time.ts';
import type { Download, ManagementCall, ManagementOperations } from './call.ts';

/** Connections that exports need at most. */
export const exportsAtOnceMax = 4;
const exportsEachMax = 2;
/** PostgreSQL cannot clean up behind what an export still sees. */
const exportMsMax = hourMs;
const stallMs = 60 * secondMs;

export type ExportSources = {
  /** For exports alone. */
  exportSql: Sql;
  clock: Clock;
  /** Aborted when the server stops. */
  closing: AbortSignal;
  log: Pick<Logger, 'error' | 'info'>;
  /** After which a reader that takes nothing is given up. */
  stallMsMax?: number;
};

const types = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson; charset=utf-8',
};

export function exportOperations(sources: ExportSources): ManagementOperations {
  const slots = new Slots({ max: exportsAtOnceMax, maxEach: exportsEachMax });
  return {
    async exportData(call): Promise<Download> {
      const asked = toAsked(call);
      checkPersonal(call, asked);
      return {
        type: types[asked.format],
        fileName: `shoal-${asked.what}-${asked.botId}.${asked.format}`,
        async open() {
          const free = slots.take({ token: call.caller.id, bot: call.bot.botId });
          return start(sources, asked, { caller: call.caller, free });
        },
      };
    },
  };
}

function toAsked({ bot: { botId }, params, query }: ManagementCall): AskedExport {
  const what = exportNames.find((name) => name === params.what);
  const format = exportFormats.find((name) => name === query.format);
  if (what === undefined || format === undefined)
    throw new Error('the contract let an unknown export through');
  return { botId, what, format, bom: query.bom === true, from: textOf(query.from), to: textOf(query.to) };
}

/** Counts may be read by whoever reads figures; what tells of people needs more. */
function checkPersonal({ caller }: ManagementCall, { what }: AskedExport): void {
  if (!tables[what].isPersonal || caller.scope !== 'read') return;
  throw new Refusal(
    'SCOPE_TOO_SMALL',
    `An export of ${what} needs a token with the scope write; this one has read.`,
  );
}

/** Begins an export. Rejects when it fails before anything is written, so that the answer can still say why. */
function start(
  { exportSql, clock, closing, log, stallMsMax = stallMs }: ExportSources,
  asked: AskedExport,
  { caller, free }: { caller: Caller; free: () => Promise<void> },
): Promise<PassThrough> {
  const stream = new PassThrough();
  const begun = Promise.withResolvers<PassThrough>();
  const stop = new AbortController();
  const late = setTimeout(() => stop.abort(new Error('an export took too long')), exportMsMax);
  const close = () => stop.abort(new Error('the server stops'));
  closing.addEventListener('abort', close, { once: true });
  stream.once('close', () => stop.abort(new Error('the reader of an export went away')));
  // Whoever reads the stream hears of it; that there may be nobody yet is no reason to end the process.
  stream.on('error', () => undefined);
  const write = async (text: string): Promise<void> => {
    const hasRoom = stream.write(text);
    begun.resolve(stream);
    if (!hasRoom) await drained(stream, stop, stallMsMax);
  };
  const told = { operation: 'exportData', ...inLog(caller), botId: asked.botId, what: asked.what };
  writeExport(exportSql, asked, { now: clock(), signal: stop.signal, write })
    .then(
      ({ rows }) => {
        log.info({ ...told, rows }, 'exported through the management API');
        begun.resolve(stream);
        stream.end();
      },
      (error: unknown) => {
        if (stop.signal.aborted) log.info({ ...told, err: stop.signal.reason }, 'an export was broken off');
        else if (!(error instanceof Refusal)) log.error({ ...told, err: error }, 'an export failed');
        begun.reject(error);
        stream.destroy(error instanceof Error ? error : undefined);
      },
    )
    .finally(() => {
      clearTimeout(late);
      closing.removeEventListener('abort', close);
      return free();
    });
  return begun.promise;
}

/** Resolves when the reader has room for more. */
async function drained(stream: PassThrough, stop: AbortController, msMax: number): Promise<void> {
  const stalled = setTimeout(() => stop.abort(new Error('the reader of an export takes nothing')), msMax);
  try {
    await once(stream, 'drain', { signal: stop.signal });
  } finally {
    clearTimeout(stalled);
  }
}
