import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { seededBytes } from '../../tests/harness/random.ts';
import { checkChoice, Passwords, usualCost } from './passwords.ts';

const cheap = { ln: 10, r: 8, p: 1 };
const password = 'correct horse battery staple';

test('a password is stored with its parameters and a salt, and only it is right', async () => {
  const passwords = new Passwords({ random: seededBytes(1) });
  const [one, other] = [await passwords.hash(password), await passwords.hash(password)];
  assert.match(one, /^\$scrypt\$ln=15,r=8,p=3\$[\w+/]{22}\$[\w+/]{43}$/);
  assert.notEqual(one, other);
  assert.deepEqual(await passwords.check(password, one), { isRight: true, isOutdated: false });
  assert.equal((await passwords.check(`${password} `, one)).isRight, false);
  assert.equal((await passwords.check('', one)).isRight, false);
  assert.equal((await passwords.check(password, null)).isRight, false);
});

test('the parameters are as strong as those of OWASP', () => {
  // 128 MiB and one pass, or half the memory and that much more passes: the list ends at 2^13 with 10.
  const passesMin: Record<number, number> = { 17: 1, 16: 2, 15: 3, 14: 5, 13: 10 };
  assert.equal(usualCost.r, 8);
  assert.ok(usualCost.p >= (passesMin[usualCost.ln] ?? Number.POSITIVE_INFINITY));
});

test('a password stored with another cost is right, and must be hashed again', async () => {
  const before = await new Passwords({ random: randomBytes, cost: cheap }).hash(password);
  const passwords = new Passwords({ random: randomBytes });
  assert.deepEqual(await passwords.check(password, before), { isRight: true, isOutdated: true });
  assert.deepEqual(await passwords.check('another', before), { isRight: false, isOutdated: true });
  await assert.rejects(passwords.check(password, 'plain'), /unknown form/);
});

test('two encodings of the same letters are the same password', async () => {
  const passwords = new Passwords({ random: randomBytes, cost: cheap });
  const kept = await passwords.hash('caf\u00e9 ﾊﾟｽﾜｰﾄﾞ 2026');
  assert.equal((await passwords.check('cafe\u0301 パスワード 2026', kept)).isRight, true);
});

test('two checks run at a time, twenty wait, and the next one is refused until later', async () => {
  const passwords = new Passwords({ random: randomBytes, cost: cheap });
  const runs = Array.from({ length: 22 }, () => passwords.hash(password));
  await assert.rejects(passwords.check(password, null), { code: 'SIGN_IN_LIMITED', retryAfterSeconds: 2 });
  assert.equal(new Set(await Promise.all(runs)).size, 22);
  assert.equal((await passwords.check(password, null)).isRight, false);
});

test('a password is judged by its length, not by its kinds of characters, and must not be easy to guess', async () => {
  for (const good of [password, 'onlysmallletters', '一二三四五六七八九十甲乙', `${'a'.repeat(196)}bcde`])
    await checkChoice(good, 'ming');
  for (const [bad, name] of [
    ['elevenchars', 'ming'],
    ['', 'ming'],
    ['x'.repeat(201), 'ming'],
    ['aaaaaaaaaaaaaaaa', 'ming'],
    ['abababababababab', 'ming'],
    ['MingTheMerciless1', 'mingthemerciless'],
    ['ming.chen@example.com', 'Ming.Chen@example.com'],
  ] as const) {
    await assert.rejects(checkChoice(bad, name), { code: 'INPUT_INVALID' }, bad);
    if (bad.length > 0) await assert.rejects(checkChoice(bad, name), (error) => !String(error).includes(bad));
  }
});

test('the most common passwords are refused, also in capitals, repeated, or with digits and signs around them', async () => {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  const long = dictionary['passwords-common'].filter((common) => common.length >= 12);
  assert.ok(long.length > 300);
  for (const common of [
    ...long.filter((one) => new Set(one).size >= 5),
    'Q1W2E3R4T5Y6',
    'password1234',
    'Password2026!',
    '2026!Password!',
    'passwordpassword',
    'DragonDragon1',
    '!!!sunshine!!!',
    'ｐａｓｓｗｏｒｄ１２３４',
  ])
    await assert.rejects(
      checkChoice(common, 'ming'),
      { code: 'INPUT_INVALID', message: /too common/ },
      common,
    );
  for (const good of ['dragon in the sunshine', 'passwordless life', '4711-0815-2342', 'zebra7harbour9'])
    await checkChoice(good, 'ming');
});
