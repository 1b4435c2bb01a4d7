import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { seededBytes } from '../../tests/harness/random.ts';
import { newSecret, signedHeaders } from './signature.ts';

const random = seededBytes(1);
const body = JSON.stringify({ type: 'contact.tagged', data: { tag: '貴賓 "VIP"' } });

test('the reference library accepts our signatures with either of two secrets', () => {
  const [current, former, other] = [newSecret(random), newSecret(random), newSecret(random)];
  const headers = signedHeaders([current, former], { id: 'msg_1_ab', at: Date.now(), body });
  assert.deepEqual(new Webhook(current).verify(body, headers), JSON.parse(body));
  assert.deepEqual(new Webhook(former).verify(body, headers), JSON.parse(body));
  assert.throws(() => new Webhook(other).verify(body, headers), /No matching signature/);
  assert.equal(headers['webhook-signature']?.split(' ').length, 2);
});

test('the reference library refuses another body, another id and an old time', () => {
  const secret = newSecret(random);
  const headers = signedHeaders([secret], { id: 'msg_1_ab', at: Date.now(), body });
  const judge = new Webhook(secret);
  assert.throws(() => judge.verify(`${body} `, headers));
  assert.throws(() => judge.verify(body, { ...headers, 'webhook-id': 'msg_2_ab' }));
  const old = signedHeaders([secret], { id: 'msg_1_ab', at: Date.now() - 301_000, body });
  assert.throws(() => judge.verify(body, old), /too old/);
});

test('a secret has 32 bytes in base64 after its prefix, and each is different', () => {
  const secrets = [newSecret(random), newSecret(random)];
  for (const secret of secrets) assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
  assert.equal(new Set(secrets).size, 2);
});
