/**
 * The metrics for Prometheus. No label contains a bot, a contact or a secret.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { NoteAnswer } from '../http/answer-times.ts';
import type { FoldOutcome } from '../ingest/fold-outcome.ts';
import type { Verdict } from '../webhooks-out/retries.ts';

export type Metrics = {
  registry: Registry;
  received(platform: string, reception: string): void;
  folded(outcome: FoldOutcome, ms: number): void;
  sent(kind: string, outcome: string): void;
  clicked(outcome: string): void;
  /** A call of the collector to LINE. */
  lineCalled(endpoint: string, outcome: string): void;
  /** A question of the collector to Meta. */
  metaCalled(kind: string, outcome: string): void;
  attempted(outcome: Verdict['kind']): void;
  /** The answers of a route. */
  answersOf(route: { method: string; route: string }): NoteAnswer;
};

type Sources = {
  waitingBytes: () => number;
  /** Bytes of request bodies in memory. */
  bodyBytes: () => number;
  /** Open sockets of live chat. */
  chatSockets: () => number;
  /** Kinds of figures that wait for LINE's rate limit, and channels whose access token LINE refuses. */
  collecting: () => Promise<{ waiting: number; stopped: number }>;
  /** Pending webhook messages, and the age of the oldest. Rejects while the database is unavailable. */
  waitingNotices: () => Promise<{ count: number; oldestSeconds: number }>;
  /** Prepared transactions of a cluster; null: the database is no cluster. */
  preparedTransactions: () => Promise<number | null>;
};

const statusClasses = ['1xx', '2xx', '3xx', '4xx', '5xx'];

/** Creates a registry for one server, because several can run in one process. Each scrape reads the sources. */
export function createMetrics(sources: Sources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name, help, labelNames, registers });
  collectDefaultMetrics({ register: registry });
  const webhooks = counter('shoal_webhooks_total', 'Webhook requests by platform and result.', [
    'platform',
    'reception',
  ]);
  const events = counter(
    'shoal_events_total',
    'Events by result: appended (includes ignored), duplicate, ignored.',
    ['outcome'],
  );
  const setAside = counter('shoal_deliveries_set_aside_total', 'Deliveries with an unreadable part.');
  const foldSeconds = new Histogram({
    name: 'shoal_fold_seconds',
    help: 'Duration of a batch of deliveries, from claim to commit.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers,
  });
  const foldDeliveries = counter('shoal_deliveries_folded_total', 'Deliveries processed.');
  const sends = counter('shoal_gateway_sends_total', 'Sends through the LINE gateway by kind and result.', [
    'kind',
    'outcome',
  ]);
  const clicks = counter('shoal_links_opened_total', 'Opened links of sends, by result of the click.', [
    'outcome',
  ]);
  const lineCalls = counter(
    'shoal_line_calls_total',
    'Calls of the collector to LINE by endpoint and result.',
    ['endpoint', 'outcome'],
  );
  const metaCalls = counter(
    'shoal_meta_calls_total',
    'Questions of the collector to Meta by kind and result.',
    ['kind', 'outcome'],
  );
  const attempts = counter(
    'shoal_notice_attempts_total',
    'Requests to webhook endpoints by result: "told" (delivered), "again" (failed, retried later), "given-up".',
    ['outcome'],
  );
  const answers = new Histogram({
    name: 'shoal_http_request_duration_seconds',
    help: 'Time from the head of a request to the end of its answer, by method, route and class of the status.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  addGauges(registry, sources);
  return {
    registry,
    sent: (kind, outcome) => sends.inc({ kind, outcome }),
    clicked: (outcome) => clicks.inc({ outcome }),
    lineCalled: (endpoint, outcome) => lineCalls.inc({ endpoint, outcome }),
    metaCalled: (kind, outcome) => metaCalls.inc({ kind, outcome }),
    attempted: (outcome) => attempts.inc({ outcome }),
    answersOf(route) {
      const labels = Object.fromEntries(
        statusClasses.map((status, index) => [index + 1, answers.labels({ ...route, status })]),
      );
      return (status, seconds) => labels[Math.floor(status / 100)]?.observe(seconds);
    },
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

function addGauges(registry: Registry, sources: Sources): void {
  const registers = [registry];
  const memoryGauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  memoryGauge(
    'shoal_inbox_waiting_bytes',
    'Bytes of deliveries in memory that wait for their commit.',
    sources.waitingBytes,
  );
  memoryGauge(
    'shoal_request_body_bytes',
    'Bytes of request bodies in memory. The limit is SHOAL_BODY_BYTES_MAX.',
    sources.bodyBytes,
  );
  memoryGauge(
    'shoal_live_chat_sockets',
    'Open live chat sockets of visitors and of the business.',
    sources.chatSockets,
  );
  for (const [part, help] of [
    ['waiting', "Kinds of LINE's figures that wait for LINE's rate limit."],
    ['stopped', 'LINE channels without collection, because LINE refuses the access token.'],
  ] as const) {
    new Gauge({
      name: `shoal_line_collections_${part}`,
      help,
      registers,
      async collect() {
        // Without the database this number is unknown. The other metrics are still served.
        const counts = await sources.collecting().catch(() => null);
        if (counts === null) this.remove();
        else this.set(counts[part]);
      },
    });
  }
  new Gauge({
    name: 'shoal_cluster_prepared_transactions',
    help: 'Commits over several nodes of Citus that wait for their second phase. No value without Citus.',
    registers,
    async collect() {
      const count = await sources.preparedTransactions().catch(() => null);
      if (count === null) this.remove();
      else this.set(count);
    },
  });
  const oldestNotice = new Gauge({
    name: 'shoal_notices_oldest_seconds',
    help: 'Age of the oldest pending webhook message; 0 without one, NaN while the database is unavailable.',
    registers,
  });
  new Gauge({
    name: 'shoal_notices_waiting',
    help: 'Pending webhook messages of all bots; NaN while the database is unavailable.',
    registers,
    async collect() {
      const unknown = { count: Number.NaN, oldestSeconds: Number.NaN };
      const { count, oldestSeconds } = await sources.waitingNotices().catch(() => unknown);
      this.set(count);
      oldestNotice.set(oldestSeconds);
    },
  });
}
