/**
 * The live chat widget: one script line on a business's page puts a button into its corner, and a chat behind it.
 *
 * Everything stands in a shadow root with a style sheet of its own: neither the page's styles nor its content security policy
 * nor its scripts and ours get into each other's way. Text is only ever set as text.
 */
import { render } from 'preact';
import { App } from './app.tsx';
import { startChat } from './chat.ts';
import { keepInBody } from './keep-in-body.ts';
import { localeOf } from './language.ts';
import { readSettings, type Settings } from './settings.ts';
import style from './style.css?inline';
import { textsOf } from './texts.ts';

/** What the page may call; docs/widget.md describes it. */
export type ShoalChat = {
  open(): void;
  close(): void;
  /** Says who the visitor is, as the script line's data attributes do. */
  identify(who: { identifier: string; identifierHash: string; name?: string }): void;
};

/** For a script line that runs again, as Turbo and the like let it: the widget of the page takes up what the line says now. */
const runAgain = Symbol.for('shoalChat.runAgain');

declare global {
  interface Window {
    shoalChat?: ShoalChat & { [runAgain](settings: Settings): void };
  }
}

/** An element of our own name, so that a page's rules for its elements do not mean it. */
const hostName = 'shoal-chat';
// Only while the script itself runs does the page tell which line it is.
const script = document.currentScript ?? document.querySelector('script[data-widget-key]');
const settings = script instanceof HTMLScriptElement ? readSettings(script) : null;

if (settings === null) console.warn('Shoal live chat: the script line needs the attribute data-widget-key.');
else if (window.shoalChat === undefined) window.shoalChat = start(settings);
else window.shoalChat[runAgain](settings);

function start(settings: Settings): NonNullable<Window['shoalChat']> {
  const chat = startChat(settings);
  let { identity } = settings;
  const host = document.createElement(hostName);
  host.lang = settings.language;
  // The widget's own languages are written from left to right, whatever the page's is.
  host.dir = 'ltr';
  const root = host.attachShadow({ mode: 'open' });
  const { language } = settings;
  const locale = localeOf(language, navigator.languages);
  render(<App chat={chat} texts={textsOf(language)} locale={locale} />, root);
  addStyle(root);
  keepInBody(host);
  return {
    open: () => chat.open(),
    close: () => chat.close(),
    identify({ identifier, identifierHash, name }) {
      if (typeof identifier !== 'string' || typeof identifierHash !== 'string' || identifier === '')
        throw new TypeError('shoalChat.identify expects {identifier, identifierHash, name?} as texts');
      chat.identify({ identifier, identifierHash, name: name === undefined ? null : String(name) });
    },
    [runAgain](next) {
      if (next.identity?.identifierHash === identity?.identifierHash) return;
      identity = next.identity;
      chat.identify(identity);
    },
  };
}

function addStyle(root: ShadowRoot): void {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    root.adoptedStyleSheets = [sheet];
  } catch {
    // Browsers before 2023 cannot make a style sheet of its own.
    const element = document.createElement('style');
    element.textContent = style;
    root.append(element);
  }
}
