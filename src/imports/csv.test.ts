import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { temporaryFile } from '../../tests/harness/command.ts';
import type { FileLine } from './columns.ts';
import { fileSource, openLines } from './source.ts';

const columns = { required: ['contact', 'tag'], optional: ['note'] };

async function linesOf(t: TestContext, content: string | Uint8Array): Promise<FileLine[]> {
  const lines: FileLine[] = [];
  for await (const batch of openLines(fileSource(await temporaryFile(t, content)), columns).batches)
    lines.push(...batch);
  return lines;
}

test('lines are read by column name, in any column order and with any line ending', async (t) => {
  const expected = [
    { line: 2, fields: { contact: 'U1', tag: 'VIP', note: '' } },
    { line: 3, fields: { contact: 'U2', tag: 'new', note: '' } },
  ];
  for (const end of ['\n', '\r\n', '\r']) {
    assert.deepEqual(await linesOf(t, ['tag,contact', 'VIP,U1', 'new,U2'].join(end)), expected);
  }
  assert.deepEqual(await linesOf(t, '\uFEFF Contact , TAG\r\n U1 , VIP \r\n"U2","new"\r\n'), expected);
});

test('fields may be quoted, and empty lines are skipped but counted in line numbers', async (t) => {
  const lines = await linesOf(t, 'contact,tag,note\n\n"U,1","say ""hi""","two\nlines"\n\nU2,客人,\n');
  assert.deepEqual(lines, [
    { line: 4, fields: { contact: 'U,1', tag: 'say "hi"', note: 'two\nlines' } },
    { line: 6, fields: { contact: 'U2', tag: '客人', note: '' } },
  ]);
});

test('a line with too many or too few fields is a problem, and the other lines are read', async (t) => {
  const lines = await linesOf(t, 'contact,tag\nU1\nU2,a,b\nU3,c\n');
  assert.deepEqual(
    lines.map((line) => [line.line, 'fields' in line ? line.fields.contact : null]),
    [
      [2, null],
      [3, null],
      [4, 'U3'],
    ],
  );
});

test('long files come in batches, and the hash is that of their bytes', async (t) => {
  const content = `contact,tag\n${Array.from({ length: 5_000 }, (_, index) => `U${index},客${index}\n`).join('')}`;
  const file = openLines(fileSource(await temporaryFile(t, content)), columns);
  const sizes: number[] = [];
  for await (const batch of file.batches) sizes.push(batch.length);
  assert.deepEqual(sizes, [2_000, 2_000, 1_000]);
  assert.equal(file.hash(), createHash('sha256').update(content).digest('hex'));
});

test('an invalid file is rejected with the reason', async (t) => {
  const missing =
    /^The column "contact" is missing\. .*The first line must name the columns: contact, tag, note \(optional\)\.$/;
  const rejected: [string | Uint8Array, RegExp][] = [
    ['', missing],
    ['contact\nU1\n', /^The column "tag" is missing\./],
    ['contact,tag,colour\nU1,a,b\n', /^The column "colour" is unknown\. The first line/],
    ['contact,tag,tag\nU1,a,b\n', /^The column "tag" appears more than once\./],
    ['U1,VIP\nU2,VIP\n', missing],
    ['contact,tag\nU1,"open\n', /is not a valid CSV file: .*line 2/],
    [Uint8Array.of(...Buffer.from('contact,tag\nU1,'), 0xa9, 0xfa), /not in UTF-8\. Save it as "CSV UTF-8"/],
  ];
  for (const [content, message] of rejected) {
    await assert.rejects(linesOf(t, content), { code: 'INPUT_INVALID', message }, String(content));
  }
  const absent = openLines(fileSource('/no/such/file.csv'), columns).batches[Symbol.asyncIterator]();
  await assert.rejects(absent.next(), { code: 'INPUT_INVALID', message: /cannot be read: ENOENT/ });
});
