/**
 * A search of the whole database for words that name a person.
 */
import type { Sql } from '../../src/database/client.ts';

/**
 * The tables and rows in which one of the words stands by itself, bodies of deliveries read as text. Rows of other bots, and of
 * other platforms where the table tells one, are left out.
 */
export async function traces(
  sql: Sql,
  { botId, platform, words }: { botId: string; platform: string; words: readonly string[] },
): Promise<string[]> {
  const tables = await sql<{ name: string; hasBot: boolean }[]>`
    select table_name as name, bool_or(column_name = 'bot_id') as "hasBot" from information_schema.columns
    where table_schema = 'public' group by table_name order by table_name`;
  const found: string[] = [];
  for (const { name, hasBot } of tables) {
    const rows = await sql<{ row: Record<string, unknown> }[]>`
      select to_jsonb(kept) as row from ${sql(name)} kept ${hasBot ? sql`where bot_id = ${botId}` : sql``}`;
    for (const { row } of rows) {
      if (row.platform !== undefined && row.platform !== platform) continue;
      const text = Object.values(row).map(readable).join('\n');
      const word = words.find((one) => stands(one, text));
      if (word !== undefined) found.push(`${name}: ${word} in ${text.slice(0, 400)}`);
    }
  }
  return found;
}

/** Bytes come as `\x` and hexadecimal digits. */
function readable(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.startsWith('\\x') ? Buffer.from(text.slice(2), 'hex').toString() : text;
}

function stands(word: string, text: string): boolean {
  const spelling = word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return new RegExp(`(?<![A-Za-z0-9])${spelling}(?![A-Za-z0-9])`).test(text);
}
