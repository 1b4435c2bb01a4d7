/**
 * Replaces the URLs of a send by our links, so that clicks can be counted.
 *
 * A code is derived from the send and the URL with a secret key, so it cannot be guessed. A repeated call with the same retry key
 * has the same links, so LINE receives identical messages.
 */
import { isUtf8 } from 'node:buffer';
import { createHmac } from 'node:crypto';
import type { JsonObject } from '../../json.ts';
import { newId, type Random } from '../../random.ts';
import type { Link } from '../clicks.ts';
import { findUrls, replaceUrls, type UrlMatch } from './message-urls.ts';

const codeLength = 14;
/** LINE reads these parameters of the tapped URL to choose the browser. */
const browserSettings = ['openExternalBrowser', 'openInAppBrowser'];

export type LinkedSend = { body: Uint8Array; linkSet: string; links: Link[] };

/** Returns the body with links, and the links; null: it has no URL to replace. */
export function linkSend(
  originalBody: Uint8Array,
  body: JsonObject,
  {
    botId,
    person,
    retryKey,
    prefix,
    linkKey,
    random,
  }: {
    botId: string;
    /** The recipient if there is exactly one; otherwise null. */
    person: string | null;
    retryKey: string | null;
    /** The part of a link before its code, such as https://shoal.example/r/. */
    prefix: string;
    linkKey: Uint8Array;
    random: Random;
  },
): LinkedSend | null {
  if (!isUtf8(originalBody)) return null;
  const text = Buffer.from(originalBody).toString();
  const lengthOfLink = prefix.length + codeLength;
  const urls = findUrls(text, body, { linkPrefix: prefix, lengthOfLink });
  if (urls.length === 0) return null;
  const secret = (...parts: (string | number)[]) =>
    createHmac('sha512', linkKey)
      .update(JSON.stringify([botId, ...parts]))
      .digest();
  const linkSet = retryKey === null ? newId(random) : secret('retry key', retryKey).toString('hex', 0, 16);
  const links = urls.map(({ url }, index) => {
    let round = 0;
    const code = newId(() => secret(linkSet, index, url, round++), codeLength);
    return { code, linkSet, seq: index + 1, url, person };
  });
  const linkedText = replaceUrls(
    text,
    urls,
    links.map((link, index) => prefix + link.code + settingsOf(urls[index])),
  );
  return { body: Buffer.from(linkedText), linkSet, links };
}

function settingsOf(match: UrlMatch | undefined): string {
  const parameters = match && URL.parse(match.url)?.searchParams;
  const settings = browserSettings.flatMap((name) => {
    const value = parameters?.get(name);
    return value === '0' || value === '1' ? [`${name}=${value}`] : [];
  });
  return settings.length === 0 ? '' : `?${settings.join('&')}`;
}
