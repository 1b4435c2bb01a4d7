/**
 * LINE's demographic answer in MantaGo's names: the tables of figures.md, and the arithmetic.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { holds } from '../../../tests/harness/property.ts';
import { toDemographic } from './names.ts';

type Slices = [string, number][];

function ages(...slices: Slices) {
  const list = slices.map(([age, percentage]) => ({ age, percentage }));
  return toDemographic({ available: true, ages: list }).ages.map(({ name, percentage }) => [
    name,
    percentage,
  ]);
}

function areas(...slices: Slices) {
  const list = slices.map(([area, percentage]) => ({ area, percentage }));
  return toDemographic({ available: true, areas: list }).areas.map(({ name, percentage }) => [
    name,
    percentage,
  ]);
}

const groups = {
  北北基: ['台北市', '新北市', '基隆市'],
  桃竹苗: ['桃園市', '新竹市', '新竹縣', '苗栗縣'],
  中彰投: ['台中市', '彰化縣', '南投縣'],
  雲嘉南: ['雲林縣', '嘉義市', '嘉義縣', '台南市'],
  高屏: ['高雄市', '屏東縣'],
  宜花東: ['宜蘭縣', '花蓮縣', '台東縣'],
  澎金馬: ['澎湖縣', '金門縣', '連江縣'],
};

test('genders and app types have their names, largest first', () => {
  const { genders, appTypes } = toDemographic({
    available: true,
    genders: [
      { gender: 'unknown', percentage: 20 },
      { gender: 'male', percentage: 31.8 },
      { gender: 'female', percentage: 48.2 },
    ],
    appTypes: [
      { appType: 'ios', percentage: 9.9 },
      { appType: 'android', percentage: 62.4 },
      { appType: 'others', percentage: 27.7 },
    ],
  });
  assert.deepEqual(genders, [
    { name: '女性', percentage: 48.2 },
    { name: '男性', percentage: 31.8 },
    { name: '未知', percentage: 20 },
  ]);
  assert.deepEqual(appTypes, [
    { name: 'Android', percentage: 62.4 },
    { name: '未知', percentage: 27.7 },
    { name: 'iOS', percentage: 9.9 },
  ]);
});

test('every age band of LINE has its name', () => {
  const named: Record<string, string> = {
    from0to14: '0-14歲',
    from15to19: '15-19歲',
    from20to24: '20-24歲',
    from45to49: '45-49歲',
    from50to54: '50-54歲',
    from65to69: '65-69歲',
    from70: '70歲以上',
    from50: '50歲以上',
    unknown: '未知',
  };
  for (const [age, name] of Object.entries(named)) assert.deepEqual(ages([age, 1]), [[name, 1]]);
});

test('from50 is left out if any of its five parts is there', () => {
  for (const part of ['from50to54', 'from55to59', 'from60to64', 'from65to69', 'from70']) {
    assert.deepEqual(ages(['from50', 30], [part, 30]).length, 1, part);
  }
  assert.deepEqual(ages(['from45to49', 20], ['from50', 30]), [
    ['50歲以上', 30],
    ['45-49歲', 20],
  ]);
});

test("Taiwan's 22 areas are seven groups; other countries' stay as LINE writes them", () => {
  for (const [group, members] of Object.entries(groups)) {
    assert.deepEqual(areas(...members.map((area): [string, number] => [area, 1])), [[group, members.length]]);
  }
  assert.equal(Object.values(groups).flat().length, 22);
  assert.deepEqual(areas(['unknown', 42.9], ['徳島', 2.9], ['Bangkok', 1]), [
    ['未知', 42.9],
    ['徳島', 2.9],
    ['Bangkok', 1],
  ]);
});

test('sums are exact in decimals and rounded half up once', () => {
  assert.deepEqual(areas(['台北市', 0.1], ['新北市', 0.2]), [['北北基', 0.3]]);
  assert.deepEqual(areas(['台北市', 1.12], ['新北市', 1.13]), [['北北基', 2.3]]);
  assert.deepEqual(areas(['台北市', 1.12], ['新北市', 1.12]), [['北北基', 2.2]]);
  assert.deepEqual(areas(['台北市', 8.04], ['新北市', 8.01]), [['北北基', 16.1]]);
  assert.deepEqual(areas(['台北市', 0.05]), [['北北基', 0.1]]);
});

test("ties are in LINE's order, and a group has the place of its first area", () => {
  assert.deepEqual(areas(['高雄市', 5], ['Bangkok', 10], ['屏東縣', 5], ['Pattaya', 10]), [
    ['高屏', 10],
    ['Bangkok', 10],
    ['Pattaya', 10],
  ]);
});

test('without an answer, or if LINE has none, all four are empty', () => {
  const empty = { genders: [], ages: [], areas: [], appTypes: [] };
  const nothing = [null, undefined, 'x', {}, { available: false }, { available: true }];
  for (const answer of nothing) assert.deepEqual(toDemographic(answer), empty);
  assert.deepEqual(toDemographic({ available: false, ages: [{ age: 'from70', percentage: 1 }] }), empty);
  const strange = {
    available: true,
    ages: [null, {}, { age: 'from70' }, { age: 5, percentage: 5 }],
    areas: 'x',
  };
  assert.deepEqual(toDemographic(strange), empty);
});

test('tenths add up to the same sum for any areas, largest first', async (t) => {
  const area = fc.constantFrom(...Object.values(groups).flat(), 'unknown', 'Bangkok', '東京');
  const slices = fc.array(fc.tuple(area, fc.nat({ max: 1_000 })), { maxLength: 40 });
  await holds(
    t,
    fc.property(slices, (tenths) => {
      const named = areas(...tenths.map(([name, tenth]): [string, number] => [name, tenth / 10]));
      const sum = named.reduce((sum, [, percentage]) => sum + Math.round(Number(percentage) * 10), 0);
      assert.equal(
        sum,
        tenths.reduce((sum, [, tenth]) => sum + tenth, 0),
      );
      const percentages = named.map(([, percentage]) => Number(percentage));
      assert.deepEqual(
        percentages,
        percentages.toSorted((a, b) => b - a),
      );
      for (const percentage of percentages) assert.match(String(percentage), /^\d+(\.\d)?$/);
      assert.equal(new Set(named.map(([name]) => name)).size, named.length);
    }),
  );
});
