/**
 * `/mail/unsubscribe/{token}`: ends the sending of a report to the recipient of an e-mail.
 *
 * GET asks first, because programs open the links of e-mails. POST ends it: the button of the page, or a mail program with one click
 * (RFC 8058). The signed token is the permission, so no session is needed.
 */
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Keys } from '../../auth/keys.ts';
import type { Sql } from '../../database/client.ts';
import { escapeHtml } from '../../mail-reports/render.ts';
import { fill, type Texts, texts } from '../../mail-reports/texts.ts';
import { findSubscription, type Subscription, unsubscribe } from '../../mail-reports/unsubscribe.ts';
import type { Clock } from '../../time.ts';

type Options = { sql: Sql; keys: Keys; clock: Clock };
type Route = { Params: { token: string } };

const bodyBytesMax = 1_024;
const policy = "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** Adds the page to the server. */
export async function registerUnsubscribe(
  app: FastifyInstance,
  { sql, keys, clock }: Options,
): Promise<void> {
  await app.register(async (scope) => {
    // The address decides; the body says at most that it is one click.
    const type = ['application/x-www-form-urlencoded', 'multipart/form-data'];
    const options = { parseAs: 'buffer', bodyLimit: bodyBytesMax } as const;
    scope.addContentTypeParser(type, options, (_request, _body, done) => done(null));
    scope.get<Route>('/mail/unsubscribe/:token', async ({ params: { token } }, reply) => {
      const subscription = await findSubscription(sql, keys, token);
      return send(reply, subscription, 'question');
    });
    scope.post<Route>('/mail/unsubscribe/:token', async ({ params: { token } }, reply) => {
      const subscription = await unsubscribe(sql, keys, token, { now: clock() });
      return send(reply, subscription, 'done');
    });
  });
}

/** Null: an invalid link. Its reader's language is unknown, so the page has all. */
function send(
  reply: FastifyReply,
  subscription: Subscription | null,
  step: 'question' | 'done',
): FastifyReply {
  reply.headers({
    'content-security-policy': policy,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-robots-tag': 'noindex',
  });
  reply.type('text/html; charset=utf-8');
  if (subscription === null) {
    const all = Object.entries(texts).map(
      ([language, { unsubscribePage }]) => `<p lang="${language}">${escapeHtml(unsubscribePage.unknown)}</p>`,
    );
    return reply.code(404).send(toPage('en', texts.en, all.join('')));
  }
  const { name, language } = subscription;
  const words = texts[language];
  const address = masked(subscription.address);
  const text = escapeHtml(fill(words.unsubscribePage[step], { name, address }));
  const button = `<form method="post"><button>${escapeHtml(words.unsubscribe)}</button></form>`;
  return reply.send(toPage(language, words, `<p>${text}</p>${step === 'question' ? button : ''}`));
}

function toPage(language: string, { unsubscribePage: { title } }: Texts, body: string): string {
  const heading = escapeHtml(title);
  return (
    `<!DOCTYPE html><html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
    `<title>${heading}</title></head><body><main><h1>${heading}</h1>${body}</main></body></html>`
  );
}

/** A forwarded e-mail does not reveal the address: m…@shop.example. */
function masked(address: string): string {
  const at = address.lastIndexOf('@');
  return `${address.slice(0, 1)}…${address.slice(at)}`;
}
