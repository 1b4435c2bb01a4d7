/**
 * The migrated schema as text, for the snapshot `tests/snapshots/schema.sql`, which shows reviewers the effect of a migration.
 */
import type { Sql } from '../src/database/client.ts';
import { migrate } from '../src/database/migrate.ts';
import { connect } from '../src/database/pool.ts';
import { startTestCluster } from './harness/cluster.ts';

/** Migrates an empty database and describes its tables, the same on every supported PostgreSQL. */
export async function renderSchema(): Promise<string> {
  const cluster = await startTestCluster();
  const sql = connect(cluster.url, { max: 1, applicationName: 'shoal schema' });
  try {
    await migrate(sql);
    const tables = await sql<{ name: string }[]>`
      select relname as name from pg_class
      where relnamespace = 'public'::regnamespace and relkind = 'r' order by relname collate "C"`;
    const texts: string[] = [];
    for (const { name } of tables) texts.push(await renderTable(sql, name));
    return texts.join('\n');
  } finally {
    await sql.end();
    await cluster.stop();
  }
}

async function renderTable(sql: Sql, name: string): Promise<string> {
  const lines = [...(await columns(sql, name)), ...(await constraints(sql, name))];
  const indexes = await sql<{ text: string }[]>`
    select pg_get_indexdef(indexrelid) as text from pg_index
    where indrelid = ${name}::regclass
      and not exists (select from pg_constraint where conindid = indexrelid and contype in ('p', 'u'))
    order by 1`;
  return `create table ${name} (\n${lines.join(',\n')}\n);\n${indexes.map(({ text }) => `${text};\n`).join('')}`;
}

async function columns(sql: Sql, name: string): Promise<string[]> {
  const rows = await sql<
    { name: string; type: string; collation: string | null; required: boolean; value: string | null }[]
  >`
    select attname as name, format_type(atttypid, atttypmod) as type, attnotnull as required,
      (select collname from pg_collation where oid = attcollation and collname <> 'default') as collation,
      case attidentity when '' then pg_get_expr(adbin, adrelid) else 'generated as identity' end as value
    from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where attrelid = ${name}::regclass and attnum > 0 and not attisdropped
    order by attnum`;
  return rows.map(({ name: column, type, collation, required, value }) =>
    [
      ` ${column} ${type}`,
      collation && `collate "${collation}"`,
      required && 'not null',
      value && (value.startsWith('generated') ? value : `default ${value}`),
    ]
      .filter(Boolean)
      .join(' '),
  );
}

async function constraints(sql: Sql, name: string): Promise<string[]> {
  // Since version 18 "not null" is also a constraint; the column shows it.
  const rows = await sql<{ text: string }[]>`
    select pg_get_constraintdef(oid) as text from pg_constraint
    where conrelid = ${name}::regclass and contype <> 'n' order by contype, conname`;
  return rows.map(({ text }) => ` ${text}`);
}
