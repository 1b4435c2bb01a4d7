/** What people write: short phrases in the languages of the shop's customers, with signs outside the basic plane among them. */
import { variety } from './diary.ts';

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

/** The phrase of a message: the same whenever the message is sent. */
export function phrase(id: string): string {
  return phrases[variety(id, phrases.length)] ?? phrases[0];
}
