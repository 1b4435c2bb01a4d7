/** Readable names of anonymous visitors: the same for a visitor id on every page, in the reader's language. */

import { defineTexts } from '../preferences/language.ts';
import { indexesOf } from './hash.ts';

const colorTexts = {
  amber: { en: 'Amber', ja: '琥珀色の', 'zh-Hant': '琥珀色' },
  blue: { en: 'Blue', ja: '青い', 'zh-Hant': '藍色' },
  brown: { en: 'Brown', ja: '茶色の', 'zh-Hant': '棕色' },
  coral: { en: 'Coral', ja: '珊瑚色の', 'zh-Hant': '珊瑚色' },
  golden: { en: 'Golden', ja: '金色の', 'zh-Hant': '金色' },
  green: { en: 'Green', ja: '緑の', 'zh-Hant': '綠色' },
  grey: { en: 'Grey', ja: '灰色の', 'zh-Hant': '灰色' },
  indigo: { en: 'Indigo', ja: '藍色の', 'zh-Hant': '靛色' },
  orange: { en: 'Orange', ja: 'オレンジの', 'zh-Hant': '橘色' },
  pink: { en: 'Pink', ja: '桃色の', 'zh-Hant': '粉紅色' },
  purple: { en: 'Purple', ja: '紫の', 'zh-Hant': '紫色' },
  red: { en: 'Red', ja: '赤い', 'zh-Hant': '紅色' },
  silver: { en: 'Silver', ja: '銀色の', 'zh-Hant': '銀色' },
  turquoise: { en: 'Turquoise', ja: 'ターコイズの', 'zh-Hant': '土耳其藍色' },
  white: { en: 'White', ja: '白い', 'zh-Hant': '白色' },
  yellow: { en: 'Yellow', ja: '黄色い', 'zh-Hant': '黃色' },
} as const;

const animalTexts = {
  badger: { en: 'Badger', ja: 'アナグマ', 'zh-Hant': '獾' },
  bear: { en: 'Bear', ja: 'クマ', 'zh-Hant': '熊' },
  crane: { en: 'Crane', ja: 'ツル', 'zh-Hant': '鶴' },
  deer: { en: 'Deer', ja: 'シカ', 'zh-Hant': '鹿' },
  dolphin: { en: 'Dolphin', ja: 'イルカ', 'zh-Hant': '海豚' },
  duck: { en: 'Duck', ja: 'カモ', 'zh-Hant': '鴨子' },
  eagle: { en: 'Eagle', ja: 'ワシ', 'zh-Hant': '老鷹' },
  fox: { en: 'Fox', ja: 'キツネ', 'zh-Hant': '狐狸' },
  hare: { en: 'Hare', ja: 'ウサギ', 'zh-Hant': '兔子' },
  hedgehog: { en: 'Hedgehog', ja: 'ハリネズミ', 'zh-Hant': '刺蝟' },
  heron: { en: 'Heron', ja: 'サギ', 'zh-Hant': '鷺' },
  horse: { en: 'Horse', ja: 'ウマ', 'zh-Hant': '馬' },
  koala: { en: 'Koala', ja: 'コアラ', 'zh-Hant': '無尾熊' },
  lynx: { en: 'Lynx', ja: 'ヤマネコ', 'zh-Hant': '山貓' },
  otter: { en: 'Otter', ja: 'カワウソ', 'zh-Hant': '水獺' },
  owl: { en: 'Owl', ja: 'フクロウ', 'zh-Hant': '貓頭鷹' },
  panda: { en: 'Panda', ja: 'パンダ', 'zh-Hant': '熊貓' },
  penguin: { en: 'Penguin', ja: 'ペンギン', 'zh-Hant': '企鵝' },
  robin: { en: 'Robin', ja: 'コマドリ', 'zh-Hant': '知更鳥' },
  seal: { en: 'Seal', ja: 'アザラシ', 'zh-Hant': '海豹' },
  squirrel: { en: 'Squirrel', ja: 'リス', 'zh-Hant': '松鼠' },
  swan: { en: 'Swan', ja: 'ハクチョウ', 'zh-Hant': '天鵝' },
  turtle: { en: 'Turtle', ja: 'カメ', 'zh-Hant': '烏龜' },
  whale: { en: 'Whale', ja: 'クジラ', 'zh-Hant': '鯨魚' },
} as const;

const color = defineTexts('visitor-colors', colorTexts);
const animal = defineTexts('visitor-animals', animalTexts);
const t = defineTexts('visitor-names', {
  name: {
    en: '{{color}} {{animal}} {{digits}}',
    ja: '{{color}}{{animal}} {{digits}}',
    'zh-Hant': '{{color}}{{animal}} {{digits}}',
  },
});

const colors = Object.keys(colorTexts) as (keyof typeof colorTexts)[];
const animals = Object.keys(animalTexts) as (keyof typeof animalTexts)[];

/** A color, an animal and two digits, such as “Blue Otter 42”: one of 34,560 names, derived from the id. */
export function visitorName(visitorId: string): string {
  const [one, other, digits] = indexesOf(visitorId, [colors.length, animals.length, 90]);
  return t('name', {
    color: color(colors[one] ?? 'blue'),
    animal: animal(animals[other] ?? 'otter'),
    digits: String(10 + digits),
  });
}
