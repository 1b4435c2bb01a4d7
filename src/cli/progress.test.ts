import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { showProgress } from './progress.ts';

test('without a terminal, a line is logged every 5 seconds', () => {
  let now = 0;
  const logged: string[] = [];
  const context = { clock: () => now, log: (text: string) => logged.push(text) };
  const progress = showProgress(context, 'lines', new PassThrough());
  for (let done = 0; done <= 12; done += 1) {
    progress.update(done * 100, 1_200);
    now += 1_000;
  }
  progress.stop();
  assert.deepEqual(logged, ['500 of 1200 lines', '1000 of 1200 lines']);
});

test('on a terminal, a bar is drawn and removed', () => {
  const terminal = Object.assign(new PassThrough(), { isTTY: true, columns: 120 });
  const context = { clock: () => 0, log: () => assert.fail('only the bar is shown') };
  const progress = showProgress(context, 'lines', terminal);
  progress.update(300, 1_200);
  progress.update(1_200, 1_200);
  progress.stop();
  assert.match(String(terminal.read()), /300 of 1200 lines/);
});
