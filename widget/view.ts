/** The props shared by every component of the widget. */
import type { Chat } from './chat.ts';
import type { Texts } from './texts.ts';

export type View = {
  chat: Chat;
  texts: Texts;
  /** Formats days and times; a BCP 47 tag. */
  locale: string;
};
