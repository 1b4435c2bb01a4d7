import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { testDatabase } from '../../tests/harness/database.ts';
import { holds } from '../../tests/harness/property.ts';
import { booleanList, numberList, textList } from './lists.ts';

test('a list of any texts arrives in PostgreSQL unchanged', async (t) => {
  const { sql } = await testDatabase(t);
  const text = fc
    .oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('', 'null', 'NULL', '"', '\\', '{}', ' a ', ',', '\n'),
    )
    .filter((value) => !value.includes('\0') && value.isWellFormed());
  await holds(
    t,
    fc.asyncProperty(
      fc.array(fc.option(text)),
      fc.array(fc.option(fc.maxSafeInteger())),
      fc.array(fc.boolean()),
      async (texts, numbers, booleans) => {
        const [row] = await sql`
          select to_json(${textList(texts)}::text[]) as texts, to_json(${numberList(numbers)}::bigint[]) as numbers,
            to_json(${booleanList(booleans)}::boolean[]) as booleans`;
        assert.deepEqual({ ...row }, { texts, numbers, booleans });
      },
    ),
    { runs: 200 },
  );
});
