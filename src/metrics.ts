/**
 * What the server tells Prometheus. No label holds a bot, a contact or a secret.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { FoldOutcome } from './rollups/fold.ts';

export type Metrics = {
  registry: Registry;
  received(platform: string, reception: string): void;
  folded(outcome: FoldOutcome, ms: number): void;
  sent(kind: string, outcome: string): void;
  clicked(outcome: string): void;
};

/** A registry of its own for each server, so that several can run in one process. `waitingBytes` is read at each scrape. */
export function createMetrics({ waitingBytes }: { waitingBytes: () => number }): Metrics {
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
  const sends = new Counter({
    name: 'shoal_gateway_sends_total',
    help: 'Sends through the gateway for LINE by kind and what became of them.',
    labelNames: ['kind', 'outcome'],
    registers: [registry],
  });
  const clicks = new Counter({
    name: 'shoal_links_opened_total',
    help: 'Links of sends that were opened, by what became of the click.',
    labelNames: ['outcome'],
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
  return {
    registry,
    sent: (kind, outcome) => sends.inc({ kind, outcome }),
    clicked: (outcome) => clicks.inc({ outcome }),
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
