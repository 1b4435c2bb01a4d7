/** Names of simulated people and phrases of their messages, in the customers' languages. */
import { stableNumber } from './ids.ts';

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

// With characters outside the Basic Multilingual Plane and characters that JSON escapes.
const phrases = [
  '請問還有貨嗎？😀',
  '今天營業到幾點？',
  '謝謝🙏',
  '在庫はありますか',
  'ありがとうございます',
  'สวัสดีค่ะ มีของไหมคะ',
  'Is this in stock?',
  'Thank you! 💙',
  '我想預約明天下午 3 點',
  '"best" <price> & café \\ 100%',
] as const;

/** The name for a key: always the same. */
export function nameOf(key: string): string {
  const language = stableNumber(`language ${key}`, 10);
  if (language === 0) return `${nameIn(english.given, key)} ${nameIn(english.families, key)}`;
  const names = language <= 2 ? japanese : chinese;
  return `${nameIn(names.families, key)}${language <= 2 ? ' ' : ''}${nameIn(names.given, key)}`;
}

/** The text of a message: always the same for its id. */
export function phrase(id: string): string {
  return phrases[stableNumber(id, phrases.length)] ?? phrases[0];
}

function nameIn(names: readonly string[], key: string): string {
  return names[stableNumber(`${names[0]} ${key}`, names.length)] ?? '';
}
