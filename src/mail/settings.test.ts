import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '../errors.ts';
import { isMailAddress, readMailSettings } from './settings.ts';

const read = (smtpUrl: string, mailFrom: string | null = 'Shoal <shoal@shop.example>') =>
  readMailSettings({ smtpUrl, mailFrom });

test('an SMTP URL selects TLS, STARTTLS or no encryption, and the usual port of each', () => {
  const from = { name: 'Shoal', address: 'shoal@shop.example' };
  assert.deepEqual(read('smtps://shoal%40shop:p%2Fw@mail.example'), {
    ...{ host: 'mail.example', port: 465, tls: 'start', from },
    login: { user: 'shoal@shop', password: 'p/w' },
  });
  assert.deepEqual(read('smtp://mail.example'), {
    ...{ host: 'mail.example', port: 587, tls: 'starttls', login: null, from },
  });
  assert.deepEqual(read('smtp://[::1]:1025?tls=off', 'a@b.example'), {
    ...{ host: '::1', port: 1025, tls: 'off', login: null, from: { name: '', address: 'a@b.example' } },
  });
  assert.equal(readMailSettings({ smtpUrl: null, mailFrom: null }), null);
});

test('invalid settings are refused without the password', () => {
  const invalid: [string, string | null][] = [
    ['mail.example:587', 'a@b.example'],
    ['https://u:geheim@mail.example', 'a@b.example'],
    ['smtp://u:geheim@mail.example?debug=true', 'a@b.example'],
    ['smtps://u:geheim@mail.example?tls=off', 'a@b.example'],
    ['smtp://u:geheim%@mail.example', 'a@b.example'],
    ['smtp://u:geheim@mail.example', null],
    ['smtp://u:geheim@mail.example', 'Shoal'],
    ['smtp://u:geheim@mail.example', 'a@b.example, c@d.example'],
  ];
  for (const [url, from] of invalid) {
    assert.throws(
      () => read(url, from),
      (error) =>
        error instanceof Refusal && error.code === 'INPUT_INVALID' && !error.message.includes('geheim'),
      `${url} from ${from}`,
    );
  }
});

test('an address cannot hold a second address or a header', () => {
  for (const text of ['ming@shop.example', 'a+b@x.example', '田中@例え.jp'])
    assert.ok(isMailAddress(text), text);
  for (const text of ['', 'ming', 'a@b@c', 'a@b,c@d', 'A <a@b>', 'a@b\r\nBcc: c@d', `${'a'.repeat(255)}@b`])
    assert.ok(!isMailAddress(text), JSON.stringify(text));
});
