import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../tests/harness/property.ts';
import { readFixture } from '../../tests/webhook-fixtures.ts';
import { platforms } from './index.ts';
import type { WebhookPlatformName } from './platform.ts';
import { isSigned } from './signature.ts';

const { line, facebook } = platforms;

test("the samples' published signature vectors verify, and only over their own bytes and secret", () => {
  const platformOf: Record<string, WebhookPlatformName> = {
    line: 'line',
    messenger: 'facebook',
    instagram: 'instagram',
    whatsapp: 'whatsapp',
  };
  const rows = [
    ...String(readFixture('README.md')).matchAll(/^\| `(\w+)\/(\S+)` \| `(\S+)` \| `(\S+)` \|$/gm),
  ];
  assert.equal(rows.length, 5);
  for (const [, folder = '', file = '', secret = '', header = ''] of rows) {
    const { signature } = platforms[platformOf[folder] ?? 'line'];
    const body = readFixture(`${folder}/${file}`);
    assert.equal(isSigned(body, header, [secret], signature), true, file);
    assert.equal(isSigned(body, header, ['another secret'], signature), false);
    assert.equal(isSigned(body.subarray(1), header, [secret], signature), false);
    assert.equal(
      isSigned(Buffer.from(JSON.stringify(JSON.parse(String(body)))), header, [secret], signature),
      false,
    );
  }
});

test('during a rotation the old and the new secret are both valid, in any order', () => {
  const body = readFixture('line/message-text.json');
  const header = sign(line.name, body, 'old');
  assert.equal(isSigned(body, header, ['new', 'old'], line.signature), true);
  assert.equal(isSigned(body, header, ['old', 'new'], line.signature), true);
  assert.equal(isSigned(body, header, ['new'], line.signature), false);
  assert.equal(isSigned(body, header, [], line.signature), false);
});

test('a missing, repeated or misspelt header is no signature', () => {
  const body = Buffer.from('{}');
  for (const platform of Object.values(platforms)) {
    const header = sign(platform.name, body, 'secret');
    assert.equal(isSigned(body, header, ['secret'], platform.signature), true);
    const others = [
      undefined,
      '',
      [header],
      [header, header],
      ` ${header}`,
      `${header} `,
      `${header}\n`,
      `${header},${header}`,
      header.slice(0, -1),
      header.replace(/=$/, ''),
      `${header}=`,
      '\u{1f600}'.repeat(11),
      'a'.repeat(100_000),
    ].filter((other) => other !== header);
    for (const other of others)
      assert.equal(isSigned(body, other, ['secret'], platform.signature), false, String(other));
  }
});

test("only the platform's own spelling is a signature", () => {
  const body = Buffer.from('{}');
  const lineHeader = sign('line', body, 'secret');
  // The last character before the padding carries two bits that decode to nothing.
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const sloppy = `${lineHeader.slice(0, 42)}${alphabet[alphabet.indexOf(lineHeader[42] ?? '') + 1]}=`;
  assert.deepEqual(Buffer.from(sloppy, 'base64'), Buffer.from(lineHeader, 'base64'));
  assert.equal(isSigned(body, sloppy, ['secret'], line.signature), false);
  assert.equal(
    isSigned(body, Buffer.from(lineHeader, 'base64').toString('hex'), ['secret'], line.signature),
    false,
  );

  const hex = createHmac('sha256', 'secret').update(body).digest('hex');
  assert.equal(isSigned(body, `sha256=${hex}`, ['secret'], facebook.signature), true);
  for (const header of [hex, `sha1=${hex}`, `SHA256=${hex}`, `sha256=${hex.toUpperCase()}`]) {
    assert.equal(isSigned(body, header, ['secret'], facebook.signature), false);
  }
});

test('an empty secret signs nothing', () => {
  const body = Buffer.from('{}');
  assert.equal(isSigned(body, sign('line', body, ''), [''], line.signature), false);
  assert.equal(isSigned(body, sign('line', body, 'secret'), ['', 'secret'], line.signature), true);
});

test('any body verifies with its own signature and with no other', async (t) => {
  await holds(
    t,
    fc.property(
      fc.constantFrom(...Object.values(platforms)),
      fc.uint8Array(),
      fc.string({ minLength: 1 }),
      fc.string({ minLength: 1 }),
      (platform, body, secret, other) => {
        const header = sign(platform.name, body, secret);
        assert.equal(isSigned(body, header, [other, secret], platform.signature), true);
        if (other !== secret) assert.equal(isSigned(body, header, [other], platform.signature), false);
        assert.equal(
          isSigned(Buffer.concat([body, Buffer.from(' ')]), header, [secret], platform.signature),
          false,
        );
      },
    ),
  );
});

function sign(platform: WebhookPlatformName, body: Uint8Array, secret: string): string {
  const hmac = createHmac('sha256', secret).update(body);
  return platform === 'line' ? hmac.digest('base64') : `sha256=${hmac.digest('hex')}`;
}
