/**
 * What the server tells Prometheus. No label holds a bot, a contact or a secret.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Verdict } from './outgoing/retries.ts';
import type { FoldOutcome } from './rollups/fold.ts';

export type Metrics = {
  registry: Registry;
  received(platform: string, reception: string): void;
  folded(outcome: FoldOutcome, ms: number): void;
  attempted(outcome: Verdict['kind']): void;
};

type Sources = {
  waitingBytes: () => number;
  /** Notices still to be told, and the age of the oldest. Rejects while the database is away. */
  waitingNotices: () => Promise<{ count: number; oldestSeconds: number }>;
};

/** A registry of its own for each server, so that several can run in one process. The sources are read at each scrape. */
export function createMetrics({ waitingBytes, waitingNotices }: Sources): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const webhooks = new Counter({
    name: 'shoal_webhooks_total',
    help: 'Webhook requests by platform and what became of them.',
    labelNames: ['platform', 'reception'],
    registers: [registry],
  });
  const events = new Counter({
    name: 'shoal_events_total',
    help: 'Events by what became of them: appended (ignored ones among them), duplicate, ignored.',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const setAside = new Counter({
    name: 'shoal_deliveries_set_aside_total',
    help: 'Deliveries with a part that could not be read.',
    registers: [registry],
  });
  const foldSeconds = new Histogram({
    name: 'shoal_fold_seconds',
    help: 'Time of one batch of deliveries, from claim to commit.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [registry],
  });
  const foldDeliveries = new Counter({
    name: 'shoal_deliveries_folded_total',
    help: 'Deliveries folded.',
    registers: [registry],
  });
  new Gauge({
    name: 'shoal_inbox_waiting_bytes',
    help: 'Bytes of deliveries that wait in memory for their commit.',
    registers: [registry],
    collect() {
      this.set(waitingBytes());
    },
  });
  const attempts = new Counter({
    name: 'shoal_notice_attempts_total',
    help: 'Requests to callback addresses by what they led to: told, again (it failed and is tried later), given-up.',
    labelNames: ['outcome'],
    registers: [registry],
  });
  const oldestNotice = new Gauge({
    name: 'shoal_notices_oldest_seconds',
    help: 'Age of the oldest notice that is still to be told; 0 when there is none, NaN while the database is away.',
    registers: [registry],
  });
  new Gauge({
    name: 'shoal_notices_waiting',
    help: 'Notices that are still to be told, of all bots; NaN while the database is away.',
    registers: [registry],
    async collect() {
      const away = { count: Number.NaN, oldestSeconds: Number.NaN };
      const { count, oldestSeconds } = await waitingNotices().catch(() => away);
      this.set(count);
      oldestNotice.set(oldestSeconds);
    },
  });
  return {
    registry,
    attempted: (outcome) => attempts.inc({ outcome }),
    received: (platform, reception) => webhooks.inc({ platform, reception }),
    folded(outcome, ms) {
      foldSeconds.observe(ms / 1_000);
      foldDeliveries.inc(outcome.deliveries);
      events.inc({ outcome: 'appended' }, outcome.appended);
      events.inc({ outcome: 'duplicate' }, outcome.duplicates);
      events.inc({ outcome: 'ignored' }, outcome.ignored);
      setAside.inc(outcome.setAside.length);
    },
  };
}
