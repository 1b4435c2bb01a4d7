import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileLine } from './columns.ts';
import { bytesSource, fileSource, openLines } from './source.ts';

const columns = { required: ['contact', 'amount'], optional: ['tags'], ignored: ['rank'] };

async function linesOf(text: string): Promise<FileLine[]> {
  const lines: FileLine[] = [];
  const source = bytesSource('The file', 'ndjson', Buffer.from(text));
  for await (const batch of openLines(source, columns).batches) lines.push(...batch);
  return lines;
}

test('each object is a line of texts: numbers printed, null empty, lists joined', async () => {
  const lines = await linesOf(
    '\uFEFF{"contact":" U1 ","amount":-5,"tags":["a|b","c"],"rank":{}}\r\n\n{"amount":"7","contact":"U2","tags":null}',
  );
  assert.deepEqual(lines, [
    { line: 1, fields: { contact: ' U1 ', amount: '-5', tags: 'a\\|b|c' } },
    { line: 3, fields: { contact: 'U2', amount: '7', tags: '' } },
  ]);
  assert.deepEqual(await linesOf('\n \n'), []);
});

test('an invalid line is a problem that names the expected form, and the other lines are read', async () => {
  const wrong: [string, RegExp][] = [
    ['nonsense', /must be a JSON object/],
    ['["U1", 5]', /must be a JSON object/],
    ['{"contact":"U1"}', /amount is missing\. Required: contact, amount/],
    ['{"contact":"U1","amount":5,"colour":"red"}', /"colour" is unknown\. Allowed: contact, amount, tags/],
    ['{"contact":true,"amount":5}', /contact must be a text, a number, a list of texts or null/],
    ['{"contact":"U1","amount":5,"tags":[1]}', /tags must be/],
  ];
  const lines = await linesOf([...wrong.map(([line]) => line), '{"contact":"U9","amount":1}'].join('\n'));
  for (const [index, [text, message]] of wrong.entries()) {
    const line = lines[index];
    assert.ok(line && 'problem' in line, text);
    assert.match(line.problem, message);
  }
  assert.deepEqual(lines.at(-1), { line: 7, fields: { contact: 'U9', amount: '1', tags: '' } });
});

test('an endless line and a wrong encoding are rejected', async () => {
  const message = /at most 100000 characters/;
  await assert.rejects(linesOf(`{"contact":"${'x'.repeat(100_001)}`), { code: 'INPUT_INVALID', message });
  const source = bytesSource('The body', 'ndjson', Uint8Array.of(0xa9, 0xfa));
  const reading = openLines(source, columns).batches[Symbol.asyncIterator]();
  await assert.rejects(reading.next(), { code: 'INPUT_INVALID', message: /^The body is not in UTF-8/ });
});

test('the file name determines the format unless one is given', () => {
  const formats = ['a.csv', 'a.ndjson', 'a.JSONL', 'a', 'ndjson.txt'].map((path) => fileSource(path).format);
  assert.deepEqual(formats, ['csv', 'ndjson', 'ndjson', 'csv', 'csv']);
  assert.equal(fileSource('a.csv', 'ndjson').format, 'ndjson');
});
