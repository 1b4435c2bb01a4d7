/**
 * The live chat widget: one script line adds a chat button to a business's page.
 *
 * The widget lives in a shadow root with its own style sheet, so it and the page's styles, scripts and content security policy do
 * not interfere. It never sets text as HTML.
 */
import { render } from 'preact';
import { App } from './app.tsx';
import { startChat } from './chat.ts';
import { keepInBody } from './keep-in-body.ts';
import { localeOf } from './language.ts';
import { readSettings, type Settings } from './settings.ts';
import style from './style.css?inline';
import { textsOf } from './texts.ts';

/** The widget's API for the page; docs/widget.md describes it. */
export type ShoalChat = {
  open(): void;
  close(): void;
  /** Identifies the visitor, like the script line's data attributes. */
  identify(identity: { identifier: string; identifierHash: string; name?: string }): void;
};

/** For a script line that runs again, for example with Turbo: the existing widget applies the new settings. */
const runAgain = Symbol.for('shoalChat.runAgain');

declare global {
  interface Window {
    shoalChat?: ShoalChat & { [runAgain](settings: Settings): void };
  }
}

/** A custom element name, so that the page's style rules do not match it. */
const hostName = 'shoal-chat';
// `document.currentScript` is set only while the script runs.
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
  // All languages of the widget are written from left to right.
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
        throw new TypeError('shoalChat.identify expects the strings {identifier, identifierHash, name?}');
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
    // Browsers before 2023 cannot construct style sheets.
    const element = document.createElement('style');
    element.textContent = style;
    root.append(element);
  }
}
