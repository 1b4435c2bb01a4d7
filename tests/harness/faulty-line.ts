/**
 * A small fake of LINE's API on loopback, for tests of the collector. It has true figures, responds like LINE, records every
 * call, and can be made to fail.
 *
 * Days before `firstDay` are out of service; days after `readyDay` are not ready. The figures of a day depend on the day
 * alone, unless a test corrects them.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { dayMs } from '../../src/time.ts';
import type { Ends } from './ends.ts';

/** The behaviour of the fake. A function may return a response, or null for the usual one. */
export type Fault = (call: LineCall) => { status: number; body: string; afterMs?: number } | null;
export type LineCall = { endpoint: string; subject: string; at: number };

export const faultyLineToken = 'an-access-token-of-the-fake';

export class FaultyLine {
  address = '';
  firstDay = '2026-01-01';
  readyDay = '2026-03-09';
  accountId = `U${'d'.repeat(32)}`;
  token = faultyLineToken;
  fault: Fault = () => null;
  richMenuIds: string[] = [];
  /** The delay of every response. */
  delayMs = 0;
  /** The time of the recorded calls, in ms. */
  clock: () => number = Date.now;
  readonly calls: LineCall[] = [];
  readonly corrections = new Map<string, object>();
  /** Concurrent calls for each endpoint and subject: now, and the maximum. */
  readonly #underWay = new Map<string, number>();
  overlaps = 0;

  /** The true figures for an endpoint and subject. */
  answer(endpoint: string, subject: string): object {
    const number = Math.floor(Date.parse(subject) / dayMs) - 20_000;
    if (endpoint === 'rich-menus')
      return { richmenus: this.richMenuIds.map((richMenuId) => ({ richMenuId })) };
    if (endpoint.startsWith('rich-menu-')) {
      const [richMenuId] = subject.split(' ');
      return this.corrections.get(`${endpoint} ${subject}`) ?? { richMenuId };
    }
    if (['demographic', 'quota', 'consumption', 'info', 'message-event', 'unit'].includes(endpoint)) {
      return this.corrections.get(endpoint) ?? present(endpoint, this.accountId);
    }
    if (subject < this.firstDay) return { status: 'out_of_service' };
    if (subject > this.readyDay) return { status: 'unready' };
    const corrected = this.corrections.get(`${endpoint} ${subject}`);
    if (corrected) return corrected;
    if (endpoint === 'followers')
      return { status: 'ready', followers: 1_000 + number, targetedReaches: 900 + number, blocks: 10 };
    if (endpoint === 'delivery') return { status: 'ready', apiPush: number, stepMessage: 2 };
    return { status: 'ready', success: number };
  }

  callsOf(endpoint: string): string[] {
    return this.calls.filter((call) => call.endpoint === endpoint).map(({ subject }) => subject);
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '', 'http://line');
    const [endpoint, subject] = callOf(url);
    const call = { endpoint, subject, at: this.clock() };
    this.calls.push(call);
    const name = `${endpoint} ${subject}`;
    const underWay = (this.#underWay.get(name) ?? 0) + 1;
    this.#underWay.set(name, underWay);
    if (underWay > 1) this.overlaps += 1;
    response.once('close', () => this.#underWay.set(name, (this.#underWay.get(name) ?? 1) - 1));
    const isKnown = request.headers.authorization === `Bearer ${this.token}`;
    // An account that is not verified.
    const usual =
      endpoint === 'friends'
        ? { status: 403, body: '{"message":"Access to this API is not available for your account"}' }
        : isKnown
          ? { status: 200, body: JSON.stringify(this.answer(endpoint, subject)) }
          : { status: 401, body: '{"message":"Authentication failed."}' };
    const { status, body, afterMs = this.delayMs } = this.fault(call) ?? { ...usual, afterMs: this.delayMs };
    setTimeout(() => {
      if (status === 0) request.socket.destroy();
      else response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    }, afterMs);
  }
}

/** Starts it on a free port and closes it when the test ends. */
export async function faultyLine(t: Ends): Promise<FaultyLine> {
  const line = new FaultyLine();
  const server = createServer((request, response) => line.handle(request, response));
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the fake LINE has no address');
  line.address = `http://127.0.0.1:${address.port}`;
  return line;
}

function callOf({ pathname, searchParams }: URL): [string, string] {
  const day = (searchParams.get('date') ?? '').replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3');
  const [, richMenuId, form] =
    /^\/v2\/bot\/insight\/richmenu\/([^/]+)\/(daily|summary)$/.exec(pathname) ?? [];
  if (form) return [`rich-menu-${form}`, [richMenuId, ...searchParams.values()].join(' ')];
  const deliveryPath = /^\/v2\/bot\/message\/delivery\/(\w+)$/.exec(pathname);
  if (deliveryPath) return [`sent-${deliveryPath[1]}`, day];
  switch (pathname) {
    case '/v2/bot/insight/followers':
      return ['followers', day];
    case '/v2/bot/insight/message/delivery':
      return ['delivery', day];
    case '/v2/bot/insight/demographic':
      return ['demographic', ''];
    case '/v2/bot/message/quota':
      return ['quota', ''];
    case '/v2/bot/message/quota/consumption':
      return ['consumption', ''];
    case '/v2/bot/followers/ids':
      return ['friends', ''];
    case '/v2/bot/richmenu/list':
      return ['rich-menus', ''];
    case '/v2/bot/info':
      return ['info', ''];
    case '/v2/bot/insight/message/event':
      return ['message-event', searchParams.get('requestId') ?? ''];
    case '/v2/bot/insight/message/event/aggregation':
      return ['unit', [...searchParams.values()].join(' ')];
  }
  throw new Error(`LINE has no ${pathname}`);
}

function present(endpoint: string, accountId: string): object {
  switch (endpoint) {
    case 'demographic':
      return { available: true, genders: [{ gender: 'male', percentage: 37.5 }], madeLater: 1 };
    case 'quota':
      return { type: 'limited', value: 3_000 };
    case 'consumption':
      return { totalUsage: 420 };
    case 'info':
      return { userId: accountId, basicId: '@shop', displayName: 'Shop' };
    case 'unit':
      return { overview: { uniqueImpression: 40 }, messages: [], clicks: [] };
    default:
      return { overview: { delivered: 320, timestamp: 1_772_000_000 }, messages: [{ seq: 1 }], clicks: [] };
  }
}
