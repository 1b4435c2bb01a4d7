import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callbackProblem, type Gate, guardedLookup, isPublic, urlLengthMax } from './addresses.ts';

const names: Record<string, string[]> = {
  'shop.example': ['93.184.215.14'],
  'both.example': ['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c'],
  'inside.example': ['10.1.2.3'],
  'local.example': ['127.0.0.1'],
  'mixed.example': ['93.184.215.14', '169.254.169.254'],
};

function gate(allowPrivate = false): Gate {
  return {
    allowPrivate,
    async lookup(name) {
      const addresses = names[name];
      if (!addresses) throw new Error(`no address for ${name}`);
      return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    },
  };
}

test('public addresses may be called, special ones may not', () => {
  const open = [
    '1.1.1.1',
    '93.184.215.14',
    '172.15.255.255',
    '172.32.0.0',
    '100.63.255.255',
    '223.255.255.255',
  ];
  for (const address of [...open, '2606:2800:21f:cb07::1', '2a00::1', '64:ff9b::5db8:d70e'])
    assert.equal(isPublic(address), true, address);
  const special = [
    ...[
      '0.0.0.0',
      '10.0.0.1',
      '100.64.0.1',
      '100.100.100.200',
      '127.0.0.1',
      '127.255.255.255',
      '168.63.129.16',
    ],
    ...[
      '169.254.169.254',
      '172.16.0.1',
      '172.31.255.255',
      '192.0.0.192',
      '192.0.2.1',
      '192.88.99.1',
      '192.168.1.1',
    ],
    ...['198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
    ...[
      '::',
      '::1',
      '::127.0.0.1',
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '0:0:0:0:0:ffff:7f00:0001',
      '::ffff:8.8.8.8',
    ],
    ...['fe80::1', 'fe80::1%eth0', 'fec0::1', 'fc00::1', 'fd00:ec2::254', 'ff02::1', '100::1', '5f00::1'],
    ...[
      '2001::1',
      '2001:db8::1',
      '2002:7f00:1::',
      '3fff::1',
      '64:ff9b::7f00:1',
      '64:ff9b::a9fe:a9fe',
      '64:ff9b:1::1',
    ],
    ...['', 'nonsense', '1.2.3'],
  ];
  for (const address of special) assert.equal(isPublic(address), false, address);
});

test('a private address is refused in any spelling', async () => {
  const hosts = [
    ...[
      '127.0.0.1',
      '127.1',
      '2130706433',
      '0x7f000001',
      '0x7f.1',
      '0177.0.0.1',
      '017700000001',
      '127.0.0.1.',
    ],
    ...[
      '%31%32%37.0.0.1',
      '１２７.0.0.1',
      '①②⑦.0.0.1',
      '127。0。0。1',
      '0',
      '0.0.0.0',
      '10.0.0.1',
      '192.168.257',
    ],
    ...[
      '169.254.169.254',
      '0xa9fea9fe',
      '2852039166',
      '[::1]',
      '[::]',
      '[::ffff:127.0.0.1]',
      '[::ffff:a9fe:a9fe]',
    ],
    ...['[0:0:0:0:0:0:0:1]', '[::127.0.0.1]', '[fd00:ec2::254]', '[fe80::1]', '[64:ff9b::127.0.0.1]'],
    ...['inside.example', 'local.example', 'mixed.example', 'LOCAL.example'],
  ];
  for (const host of hosts) {
    assert.match(
      String(await callbackProblem(`http://${host}/hook`, gate())),
      /private, local or reserved/,
      host,
    );
    assert.equal(await callbackProblem(`http://${host}:8080/hook`, gate(true)), null, host);
  }
});

test('https and http are accepted with any port, path and query, also if the name cannot be resolved now', async () => {
  const accepted = [
    'https://shop.example',
    'http://shop.example:1/a?b=c#d',
    'https://both.example/',
    'https://missing.example/',
  ];
  for (const url of [
    ...accepted,
    'http://93.184.215.14/',
    'http://[2a00::1]:65535/',
    'HTTPS://SHOP.example/鉤',
  ])
    assert.equal(await callbackProblem(url, gate()), null, url);
});

test('other texts and URLs with a user name are refused with the expected form', async () => {
  const wrong: [string, RegExp][] = [
    ['', /must be a URL/],
    ['shop.example', /must be a URL/],
    ['https://', /must be a URL/],
    ['https://shop.example/a b', /must be a URL/],
    ['https://shop\n.example/', /must be a URL/],
    ['https://shop.example:70000/', /must be a URL/],
    ['ftp://shop.example/', /must begin with https/],
    ['file:///etc/passwd', /must begin with https/],
    ['javascript:alert(1)', /must begin with https/],
    ['https://user@shop.example/', /user name/],
    ['https://user:pass@shop.example/', /user name/],
    ['https://:pass@127.0.0.1/', /user name/],
    [`https://shop.example/${'x'.repeat(urlLengthMax)}`, /at most 2048/],
  ];
  for (const allowPrivate of [false, true])
    for (const [url, expected] of wrong)
      assert.match(String(await callbackProblem(url, gate(allowPrivate))), expected, url);
});

test('a connection is refused if any address of the name is special, with one or all addresses requested', async () => {
  const look = (name: string, all: boolean, allowPrivate = false) =>
    new Promise((resolve) => {
      guardedLookup(gate(allowPrivate))(name, { all }, (error, address, family) =>
        resolve(error ? error.message : { address, family }),
      );
    });
  for (const all of [true, false]) {
    for (const name of ['local.example', 'inside.example', 'mixed.example'])
      assert.match(String(await look(name, all)), /private, local or reserved/);
    assert.match(String(await look('missing.example', all)), /no address/);
  }
  assert.deepEqual(await look('shop.example', false), { address: '93.184.215.14', family: 4 });
  assert.deepEqual(await look('mixed.example', true, true), {
    address: [
      { address: '93.184.215.14', family: 4 },
      { address: '169.254.169.254', family: 4 },
    ],
    family: undefined,
  });
});
