/** Names of people who do not exist, in the scripts of the shop's customers. */
import { variety } from './diary.ts';

const chinese = {
  families: ['陳', '林', '黃', '張', '李', '王', '吳', '劉', '蔡', '楊', '許', '鄭'],
  given: ['怡君', '志豪', '雅婷', '俊傑', '淑芬', '家豪', '欣怡', '承翰', '品妤', '宥廷', '詩涵', '冠宇'],
};
const japanese = {
  families: ['佐藤', '鈴木', '高橋', '田中', '渡辺', '伊藤'],
  given: ['美咲', '陽菜', '蓮', '葵', '大翔', '結衣'],
};
const english = {
  families: ['Chen', 'Lin', 'Smith', 'Nguyen', 'Garcia'],
  given: ['Emma', 'Daniel', 'Sofia', 'Kevin', 'Mia'],
};

/** The name that belongs to a key: always the same. */
export function nameOf(key: string): string {
  const language = variety(`language ${key}`, 10);
  if (language === 0) return `${one(english.given, key)} ${one(english.families, key)}`;
  const names = language <= 2 ? japanese : chinese;
  return `${one(names.families, key)}${language <= 2 ? ' ' : ''}${one(names.given, key)}`;
}

function one(names: readonly string[], key: string): string {
  return names[variety(`${names[0]} ${key}`, names.length)] ?? '';
}
