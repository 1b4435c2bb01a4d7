/**
 * Addresses in every form that sockets and proxies use.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from './errors.ts';
import { bareAddress, networkOf, proxiesOf } from './network.ts';

test('an address loses its port, brackets and zone, and has one form', () => {
  const forms = {
    '203.0.113.7:51234': '203.0.113.7',
    '203.0.113.7': '203.0.113.7',
    '::ffff:203.0.113.7': '203.0.113.7',
    '[::ffff:203.0.113.7]:80': '203.0.113.7',
    '[2001:db8::1]:443': '2001:db8::1',
    '[2001:db8::1]': '2001:db8::1',
    '2001:DB8:0:0:0:0:0:1': '2001:db8::1',
    'fe80::1%eth0': 'fe80::1',
    unknown: 'unknown',
    '1.2.3': '1.2.3',
  };
  for (const [text, address] of Object.entries(forms)) assert.equal(bareAddress(text), address, text);
});

test('rate limits count an IPv4 address, and the first 64 bits of an IPv6 address', () => {
  assert.equal(networkOf('203.0.113.7:1'), networkOf('::ffff:203.0.113.7'));
  assert.notEqual(networkOf('203.0.113.7'), networkOf('203.0.113.8'));
  const same = ['2001:db8:1:2::1', '[2001:db8:1:2:ffff:ffff:ffff:ffff]:443', '2001:db8:1:2::'];
  assert.deepEqual(new Set(same.map(networkOf)), new Set(['2001:db8:1:2::/64']));
  assert.notEqual(networkOf('2001:db8:1:3::1'), networkOf('2001:db8:1:2::1'));
});

test('proxies are addresses, networks or named ranges, with or without a port', () => {
  const isProxy = proxiesOf('10.0.0.5, 192.168.0.0/16, 2001:db8::/32, loopback');
  for (const text of [
    '10.0.0.5',
    '10.0.0.5:443',
    '192.168.7.7',
    '::ffff:127.0.0.1',
    '::1',
    '[2001:db8:5::1]:1',
  ])
    assert.equal(isProxy(text), true, text);
  for (const text of ['10.0.0.6', '203.0.113.7', '2001:db9::1', 'unknown', ''])
    assert.equal(isProxy(text), false, text);
  assert.equal(proxiesOf('none')('127.0.0.1'), false);
});

test('a proxy that is not an address is refused with its text', () => {
  for (const list of ['nginx', '10.0.0.0/33', '127.0.0.1,', '127.1']) {
    assert.throws(
      () => proxiesOf(list),
      (error) => error instanceof Refusal && /SHOAL_TRUSTED_PROXIES/.test(error.message),
      list,
    );
  }
});
