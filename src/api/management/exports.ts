/**
 * The operation that exports: a download of rows, as fast as its client reads them.
 *
 * An export holds a transaction and a connection of a separate pool while it runs. So only a few run at a time, and the query ends
 * when the client stalls or disconnects, or the server stops. The status has been sent by then, so a failure closes the connection
 * before the end of the body.
 */

import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { type Caller, logFields } from '../../auth/caller.ts';
import { isOutage, logOutage } from '../../database/outage.ts';
import { Refusal } from '../../errors.ts';
import { type ExportRequest, tables, writeExport } from '../../exports/export.ts';
import { Slots } from '../../http/slots.ts';
import { hourMs, secondMs } from '../../time.ts';
import { filterOf } from './contact-filter.ts';
import type { Download, Operations, Sources } from './operation.ts';

/** The size of the pool for exports. */
export const exportsAtOnceMax = 4;
const exportsEachMax = 2;
/** PostgreSQL cannot remove old row versions while an export can still see them. */
const exportMsMax = hourMs;
const stallMs = 60 * secondMs;

type ExportSources = Pick<Sources, 'exportSql' | 'clock' | 'closing' | 'log' | 'stallMsMax'>;

const types = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson; charset=utf-8',
};

export function exportOperations(sources: ExportSources) {
  const slots = new Slots({ max: exportsAtOnceMax, maxEach: exportsEachMax });
  return {
    async exportData({ bot, params: { what }, query, caller }): Promise<Download> {
      const { botId } = bot;
      const { format, bom, from, to, sendId, state, deleted, ...filter } = query;
      checkPersonal(caller, what);
      checkLimits(what, { recipients: { sendId, state }, contacts: { deleted, ...filter } });
      const isFiltered = deleted === false || Object.values(filter).some((value) => value !== undefined);
      const limits = {
        ...(sendId === undefined ? {} : { sendId }),
        ...(state === undefined ? {} : { state }),
        ...(isFiltered ? { contacts: filterOf({ bot, query: filter }) } : {}),
      };
      return {
        type: types[format],
        fileName: `shoal-${what}-${botId}.${format}`,
        async content() {
          const free = slots.take({ token: caller.id, bot: botId });
          return start(sources, { botId, what, format, bom, from, to, ...limits }, { caller, free });
        },
      };
    },
  } satisfies Partial<Operations>;
}

/** A caller with the scope read may export counts, but no personal data. */
function checkPersonal(caller: Caller, what: ExportRequest['what']): void {
  if (!tables[what].isPersonal || caller.scope !== 'read') return;
  throw new Refusal(
    'SCOPE_TOO_SMALL',
    `An export of ${what} needs a token with the scope write; this one has read.`,
  );
}

/** Throws Refusal INPUT_INVALID for a parameter of another kind of export. */
function checkLimits(
  what: ExportRequest['what'],
  limits: Readonly<Partial<Record<ExportRequest['what'], Readonly<Record<string, unknown>>>>>,
): void {
  for (const [kind, parameters] of Object.entries(limits)) {
    const [name] = Object.entries(parameters).find(([, value]) => value !== undefined) ?? [];
    if (name !== undefined && kind !== what)
      throw new Refusal('INPUT_INVALID', `${name} in the query is for ${kind}, not for ${what}`);
  }
}

/** Starts an export. Rejects when it fails before the first row, while the answer can still be an error. */
function start(
  { exportSql, clock, closing, log, stallMsMax = stallMs }: ExportSources,
  request: ExportRequest,
  { caller, free }: { caller: Caller; free: () => Promise<void> },
): Promise<PassThrough> {
  const stream = new PassThrough();
  const started = Promise.withResolvers<PassThrough>();
  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, closing, AbortSignal.timeout(exportMsMax)]);
  stream.once('close', () => stop.abort(new Error('the client of an export disconnected')));
  // The stream's reader handles the error. Without a reader it must not end the process.
  stream.on('error', () => undefined);
  const write = async (text: string): Promise<void> => {
    const hasRoom = stream.write(text);
    started.resolve(stream);
    if (!hasRoom) await drained(stream, { stop, signal }, stallMsMax);
  };
  const logged = { operation: 'exportData', ...logFields(caller), botId: request.botId, what: request.what };
  writeExport(exportSql, request, { now: clock(), signal, write })
    .then(
      ({ rows }) => {
        log.info({ ...logged, rows }, 'exported through the management API');
        started.resolve(stream);
        stream.end();
      },
      (error: unknown) => {
        if (signal.aborted) log.info({ ...logged, err: signal.reason }, 'an export was aborted');
        else if (isOutage(error)) logOutage(log, error);
        else if (!(error instanceof Refusal)) log.error({ ...logged, err: error }, 'an export failed');
        started.reject(error);
        stream.destroy(error instanceof Error ? error : undefined);
      },
    )
    .finally(free);
  return started.promise;
}

/** Resolves when the client has read the written rows. */
async function drained(
  stream: PassThrough,
  { stop, signal }: { stop: AbortController; signal: AbortSignal },
  msMax: number,
): Promise<void> {
  const stalled = setTimeout(() => stop.abort(new Error('the client of an export reads nothing')), msMax);
  try {
    await once(stream, 'drain', { signal });
  } finally {
    clearTimeout(stalled);
  }
}
