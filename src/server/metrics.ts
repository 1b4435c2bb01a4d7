/**
 * What the server tells Prometheus. No label holds a bot, a contact or a secret.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { FoldOutcome } from '../ingest/process-batch.ts';
import type { Verdict } from '../webhooks-out/retries.ts';

export type Metrics = {
  registry: Registry;
  received(platform: string, reception: string): void;
  folded(outcome: FoldOutcome, ms: number): void;
  sent(kind: string, outcome: string): void;
  clicked(outcome: string): void;
  /** A call of the collector to LINE, and what it brought. */
  lineCalled(endpoint: string, outcome: string): void;
  attempted(outcome: Verdict['kind']): void;
};

type Sources = {
  waitingBytes: () => number;
  /** Bytes of request bodies that are held. */
  bodyBytes: () => number;
  /** Sockets of live chat that are open. */
  chatSockets: () => number;
  /** Kinds of figures that wait for LINE's limit of calls, and channels whose access token LINE refuses. */
  collecting: () => Promise<{ waiting: number; stopped: number }>;
  /** Notices still to be told, and the age of the oldest. Rejects while the database is away. */
  waitingNotices: () => Promise<{ count: number; oldestSeconds: number }>;
};

/** A registry of its own for each server, so that several can run in one process. The sources are read at each scrape. */
export function createMetrics({
  waitingBytes,
  bodyBytes,
  chatSockets,
  collecting,
  waitingNotices,
}: Sources): Metrics {
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
  new Gauge({
    name: 'shoal_request_body_bytes',
    help: 'Bytes of request bodies that are held, of the SHOAL_BODY_BYTES_MAX that may be.',
    registers: [registry],
    collect() {
      this.set(bodyBytes());
    },
  });
  new Gauge({
    name: 'shoal_live_chat_sockets',
    help: 'Sockets of live chat that are open, of visitors and of the business.',
    registers: [registry],
    collect() {
      this.set(chatSockets());
    },
  });
  const lineCalls = new Counter({
    name: 'shoal_line_calls_total',
    help: 'Calls of the collector to LINE by endpoint and what they brought.',
    labelNames: ['endpoint', 'outcome'],
    registers: [registry],
  });
  for (const [part, help] of [
    ['waiting', "Kinds of LINE's figures that wait for the limit of calls."],
    ['stopped', 'LINE channels that are not collected from, because LINE refuses the access token.'],
  ] as const) {
    new Gauge({
      name: `shoal_line_collections_${part}`,
      help,
      registers: [registry],
      async collect() {
        // Without the database the number is not known, and the other metrics are wanted all the more.
        const counts = await collecting().catch(() => null);
        if (counts === null) this.remove();
        else this.set(counts[part]);
      },
    });
  }
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
    sent: (kind, outcome) => sends.inc({ kind, outcome }),
    clicked: (outcome) => clicks.inc({ outcome }),
    lineCalled: (endpoint, outcome) => lineCalls.inc({ endpoint, outcome }),
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
