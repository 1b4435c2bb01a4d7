/**
 * A search of the whole database for words that identify a person.
 */
import type { Sql } from '../../src/database/client.ts';

/**
 * The tables and rows that contain one of the words as a whole word, including bodies of deliveries. Rows of other bots are
 * excluded, and rows of other platforms in tables with a platform.
 */
export async function traces(
  sql: Sql,
  { botId, platform, words }: { botId: string; platform: string; words: readonly string[] },
): Promise<string[]> {
  const tables = await sql<{ name: string; hasBot: boolean }[]>`
    select table_name as name, bool_or(column_name = 'bot_id') as "hasBot" from information_schema.columns
    where table_schema = 'public' group by table_name order by table_name`;
  const traceLines: string[] = [];
  for (const { name, hasBot } of tables) {
    const rows = await sql<{ row: Record<string, unknown> }[]>`
      select to_jsonb(stored) as row from ${sql(name)} stored ${hasBot ? sql`where bot_id = ${botId}` : sql``}`;
    for (const { row } of rows) {
      if (row.platform !== undefined && row.platform !== platform) continue;
      const text = Object.values(row).map(readable).join('\n');
      const word = words.find((one) => isWholeWord(one, text));
      if (word !== undefined) traceLines.push(`${name}: ${word} in ${text.slice(0, 400)}`);
    }
  }
  return traceLines;
}

/** PostgreSQL returns bytes as `\x` and hexadecimal digits. */
function readable(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.startsWith('\\x') ? Buffer.from(text.slice(2), 'hex').toString() : text;
}

function isWholeWord(word: string, text: string): boolean {
  const spelling = word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return new RegExp(`(?<![A-Za-z0-9])${spelling}(?![A-Za-z0-9])`).test(text);
}
