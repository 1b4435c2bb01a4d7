import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createMetrics } from './metrics.ts';

const root = new URL('../../', import.meta.url);

test('dashboards, alert rules and documents name only metrics that exist', async () => {
  const metrics = createMetrics({
    waitingBytes: () => 0,
    bodyBytes: () => 0,
    chatSockets: () => 0,
    collecting: async () => ({ waiting: 0, stopped: 0 }),
    waitingNotices: async () => ({ count: 0, oldestSeconds: 0 }),
    preparedTransactions: async () => null,
  });
  const known = new Set(metrics.registry.getMetricsAsArray().map(({ name }) => name));
  for (const file of ['ops/grafana/shoal.json', 'ops/prometheus/alerts.yml', 'docs/operate.md']) {
    const names = readFileSync(new URL(file, root), 'utf8').match(/\b(shoal|process)_[a-z_]+/g) ?? [];
    assert.ok(names.length > 0, file);
    const unknown = names.filter(
      (name) => !known.has(name) && !known.has(name.replace(/_(bucket|count|sum)$/, '')),
    );
    assert.deepEqual(unknown, [], file);
  }
});
