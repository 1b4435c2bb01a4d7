/** What `npm run proof` (proof/README.md) reports of a part that fails, and the sums of its records. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PartRecord, RunRecord } from '../proof/record.ts';
import { runPart } from '../proof/run-part.ts';
import { summarize } from '../proof/summary.ts';
import { tailOf } from '../proof/world/log-tail.ts';

test('a part that fails keeps what it counted before, cleans up, and names its seed and input', async () => {
  const { Failure } = await import('../proof/part.ts');
  let ended = 0;
  const record = await runPart(
    {
      ...{ name: 'example', summary: '', seconds: { full: 1, quick: 1 } },
      async run({ count, ends, onFailure }) {
        onFailure('server logs', () => ['an error']);
        ends.after(() => {
          ended += 1;
        });
        count('web', 'total', 3);
        throw new Failure('lost', { killed: 'web' });
      },
    },
    { ...{ seed: 7, seconds: 1, isQuick: true }, signal: new AbortController().signal, say: () => undefined },
  );
  assert.equal(ended, 1);
  assert.deepEqual(record.counts, [{ row: 'web', column: 'total', count: 3 }]);
  assert.deepEqual(record.failure, {
    ...{ what: 'lost', seed: 7, input: { killed: 'web' } },
    state: { 'server logs': ['an error'] },
  });
});

test('the log of a failure has the last warnings and errors, without secrets', () => {
  const line = (level: number, msg: string) => `{"level":${level},"time":1,"msg":"${msg}"}`;
  const errors = Array.from({ length: 40 }, (_, number) => line(50, `error ${number}`));
  const log = [...errors, line(40, 'with s3cret'), line(30, 'usual'), '    at a stack', ''].join('\n');
  const tail = tailOf(log, ['s3cret']);
  assert.equal(tail.length, 30);
  assert.deepEqual(tail.slice(-3), [line(50, 'error 39'), line(40, 'with [secret]'), '    at a stack']);
});

test('the summary adds the counts of a release’s runs, and shows failed runs', () => {
  const part = (count: number, failure: PartRecord['failure'] = null): PartRecord => ({
    ...{ name: 'kills', seconds: 60, measures: [], unavailable: [], failure },
    counts: [{ row: 'web', column: 'total', count }],
  });
  const run = (release: string, ofRun: PartRecord, isQuick = false): RunRecord => ({
    ...{ release, startedAt: '2026-03-01T00:00:00.000Z', command: 'npm run proof', seed: 7, isQuick },
    machine: { cores: 2, processor: 'P', memoryGb: 8, node: 'v24' },
    parts: [ofRun],
  });
  const page = summarize(
    [
      run('1.0.0', part(600)),
      run('1.0.0', part(500, { what: 'lost', seed: 7, input: null })),
      run('1.0.0', part(70), true),
      run('0.9.0', part(8)),
    ],
    '1.0.0',
  );
  assert.match(page, /^Runs: 2, failed: 1, minutes: 2\.$/m);
  assert.match(page, /^\| web \| 1,100 \|$/m);
  assert.match(page, /\| failed: lost \|$/m);
});
