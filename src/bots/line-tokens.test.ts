/**
 * Tokens for LINE's calls that were made before they had scopes.
 */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { emptyDatabase } from '../../tests/harness/database.ts';
import { migrate, readMigrations } from '../database/migrate.ts';
import { findTokenBot, hashLineToken, listLineTokens } from './line-tokens.ts';

const now = Date.parse('2026-03-15T03:00:00Z');

test('a token that was made before scopes keeps the Insight calls alone, and the channel’s own token everything', async (t) => {
  const { sql } = await emptyDatabase(t);
  const migrations = await readMigrations();
  const place = migrations.findIndex(({ name }) => name.endsWith('-line-token-scopes.sql'));
  await migrate(sql, migrations.slice(0, place));
  await sql`insert into bots (bot_id, name) values ('bot', 'Bot')`;
  for (const kind of ['made', 'channel'])
    await sql`
      insert into line_tokens (bot_id, token_id, kind, token_hash, created_at)
      values ('bot', ${kind}, ${kind}, decode(${hash('sha256', kind)}, 'hex'), ${new Date(now)})`;
  await migrate(sql);
  const rows = await sql<
    { kind: string; scope: string }[]
  >`select kind, scope from line_tokens order by kind`;
  assert.deepEqual(
    rows.map(({ kind, scope }) => [kind, scope]),
    [
      ['channel', 'all'],
      ['made', 'insight'],
    ],
  );
  const [listed] = await listLineTokens(sql, 'bot');
  assert.deepEqual([listed?.scope, listed?.expiresAt], ['insight', null]);
  assert.equal((await findTokenBot(sql, hashLineToken('made'), { now }))?.botId, 'bot');
});
