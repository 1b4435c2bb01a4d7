/**
 * The most frequent passwords, which attackers try first.
 */
import { once } from '../once.ts';

/** The most frequent ones of the list. They are also refused with digits and signs around them, or repeated. */
const decoratedCount = 3_000;
const decoratedLengthMin = 4;

/**
 * True for a password of the list, for a frequent one with digits or signs around it (`password2026!`), and for repetitions
 * (`dragondragon`). Expects lower case in NFKC.
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

// Loaded with the first chosen password: most processes never need it.
const lists = once(async (): Promise<Lists> => {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  const passwords = dictionary['passwords-common'];
  return { all: new Set(passwords), frequent: new Set(passwords.slice(0, decoratedCount)) };
});
