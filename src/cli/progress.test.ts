import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { type Progress, withProgress } from './progress.ts';

test('without a terminal, a line is logged every 5 seconds', async () => {
  let now = 0;
  const logged: string[] = [];
  const context = { clock: () => now, log: (text: string) => logged.push(text) };
  const run = async (progress: Progress) => {
    for (let done = 0; done <= 12; done += 1) {
      progress(done * 100, 1_200);
      now += 1_000;
    }
  };
  await withProgress(context, 'lines', run, new PassThrough());
  assert.deepEqual(logged, ['500 of 1200 lines', '1000 of 1200 lines']);
});

test('on a terminal, a bar is drawn and removed', async () => {
  const terminal = Object.assign(new PassThrough(), { isTTY: true, columns: 120 });
  const context = { clock: () => 0, log: () => assert.fail('only the bar is shown') };
  const run = async (progress: Progress) => {
    progress(300, 1_200);
    progress(1_200, 1_200);
  };
  await withProgress(context, 'lines', run, terminal);
  assert.match(String(terminal.read()), /300 of 1200 lines/);
});
