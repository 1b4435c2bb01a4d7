/**
 * A send whose URLs lead through links of ours, so that clicks can be counted.
 *
 * The codes are made of the send and the URL with a secret key, so nobody can guess one, and the same call with the same retry
 * key has the same links: LINE is sent the very same messages.
 */
import { isUtf8 } from 'node:buffer';
import { createHmac } from 'node:crypto';
import { Refusal } from '../../errors.ts';
import type { JsonObject } from '../../json.ts';
import { newId, type Random } from '../../random.ts';
import type { Link } from '../clicks.ts';
import { type FoundUrl, findUrls, replaceUrls } from './message-urls.ts';

const codeLength = 14;
/** LINE reads these of the URL that is tapped: they say which browser opens it. */
const browserSettings = ['openExternalBrowser', 'openInAppBrowser'];

export type LinkedSend = { body: Uint8Array; linkSet: string; links: Link[] };

/** The body with links, and what each stands for; null: it has no URL to replace. */
export function linkSend(
  sent: Uint8Array,
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
    /** The one person that the send goes to, or null. */
    person: string | null;
    retryKey: string | null;
    /** What a code is put behind, like https://shoal.example/r/. */
    prefix: string;
    linkKey: Uint8Array;
    random: Random;
  },
): LinkedSend | null {
  if (!isUtf8(sent)) return null;
  const text = Buffer.from(sent).toString();
  const lengthOfLink = prefix.length + codeLength;
  const urls = findUrls(text, body, { ownPrefix: prefix, lengthOfLink });
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
  const replaced = replaceUrls(
    text,
    urls,
    links.map((link, index) => prefix + link.code + settingsOf(urls[index])),
  );
  return { body: Buffer.from(replaced), linkSet, links };
}

function settingsOf(found: FoundUrl | undefined): string {
  const asked = found && URL.parse(found.url)?.searchParams;
  const kept = browserSettings.flatMap((name) => {
    const value = asked?.get(name);
    return value === '0' || value === '1' ? [`${name}=${value}`] : [];
  });
  return kept.length === 0 ? '' : `?${kept.join('&')}`;
}

/** What the codes of links stand behind. Throws Refusal INPUT_INVALID for an address that people cannot open. */
export function linkPrefix(publicUrl: string | null): string | null {
  if (publicUrl === null) return null;
  const url = URL.parse(publicUrl);
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    url.search !== '' ||
    url.hash !== '' ||
    url.username !== ''
  ) {
    throw new Refusal('INPUT_INVALID', '--public-url must be an address like https://shoal.example.');
  }
  return `${url.href.replace(/\/$/, '')}/r/`;
}
