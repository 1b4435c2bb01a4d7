/**
 * The passwords that people choose most often, and guessers try first.
 */
import { once } from '../once.ts';

/** Of the list, most frequent first, so many are refused with digits and signs around them or repeated, too. */
const decoratedCount = 3_000;
const decoratedLengthMin = 4;

/**
 * True for a password of the list; for one of its most frequent ones with digits or signs before and after it (`password2026!`),
 * and for repetitions (`dragondragon`). In: lower case, NFKC.
 */
export async function isCommonPassword(text: string): Promise<boolean> {
  const { all, frequent } = await lists();
  if (all.has(text)) return true;
  const core = text.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '');
  return [text, core].some((part) => {
    const unit = /^(.+?)\1*$/su.exec(part)?.[1] ?? part;
    return [part, unit].some((one) => one.length >= decoratedLengthMin && frequent.has(one));
  });
}

type Lists = { all: ReadonlySet<string>; frequent: ReadonlySet<string> };

// Read when the first password is chosen: most processes never need it.
const lists = once(async (): Promise<Lists> => {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  const passwords = dictionary['passwords-common'];
  return { all: new Set(passwords), frequent: new Set(passwords.slice(0, decoratedCount)) };
});
