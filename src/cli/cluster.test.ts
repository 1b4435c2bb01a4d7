import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandRunner } from '../../tests/harness/command.ts';
import { emptyDatabase } from '../../tests/harness/database.ts';
import { Refusal } from '../errors.ts';
import { register } from './cluster.ts';

test('without Citus, each command is refused and says what to install', async (t) => {
  const { sql } = await emptyDatabase(t);
  const run = commandRunner(sql, register, { now: 0 });
  for (const command of [['distribute'], ['distribute', '--check'], ['status']]) {
    await assert.rejects(run('cluster', ...command), (error: unknown) => {
      assert.ok(error instanceof Refusal);
      assert.match(error.message, /no Citus.*create extension citus/);
      return true;
    });
  }
});
