import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineAccess } from '../line/access.ts';
import { lineSender } from './line-sender.ts';

const channel = {
  ...{
    botId: 'shop',
    platform: 'line',
    enabled: true,
    accountId: null,
    secrets: ['secret'],
    verifyToken: null,
  },
  ...{ accessToken: null, channelId: '1657000000', assertionKey: null, businessAccountId: null },
  ...{ allowedOrigins: [], identityRequired: false, identityKey: null },
} as const;

test('a channel without a long-lived token sends with an issued one, and stops if LINE issues none', async () => {
  const authorizations: (string | undefined)[] = [];
  const host = {
    async post(_path: string, _body: object, headers: Record<string, string>) {
      authorizations.push(headers.authorization);
      return { status: 200, headers: { 'x-line-request-id': 'id' }, body: {} };
    },
  };
  let isRefused = false;
  const text = JSON.stringify({ access_token: 'issued', expires_in: 900 });
  const askForToken = async () =>
    isRefused ? ({ outcome: 'refused' } as const) : ({ outcome: 'answered', text } as const);
  const clock = () => 0;
  const send = (access: LineAccess) =>
    lineSender(host as never, access).send(
      { ...channel, secrets: ['secret'], allowedOrigins: [] } as never,
      {
        recipients: [{ id: `U${'0'.repeat(32)}` }],
        message: { text: 'hi', quickReplies: [] },
        key: 'key',
      } as never,
    );
  assert.equal(
    (await send(new LineAccess({ askForToken }, { clock, onCall: () => undefined }))).kind,
    'accepted',
  );
  assert.deepEqual(authorizations, ['Bearer issued']);
  isRefused = true;
  assert.equal(
    (await send(new LineAccess({ askForToken }, { clock, onCall: () => undefined }))).kind,
    'halted',
  );
  assert.equal(authorizations.length, 1);
});

test("LINE's message in a failure is short and without the token", async () => {
  const host = {
    post: async () => ({ status: 403, headers: {}, body: { message: `secret-token ${'x'.repeat(1_000)}` } }),
  };
  const access = {
    callWith: (_: unknown, { call }: { call: (token: string) => unknown }) => call('secret-token'),
  };
  const call = { recipients: [{ id: `U${'0'.repeat(32)}` }], message: { text: 'hi', quickReplies: [] } };
  const outcome = await lineSender(host as never, access as never).send(channel as never, call as never);
  assert.deepEqual(outcome, { kind: 'halted', problem: `LINE answered 403: … ${'x'.repeat(298)}.` });
});

test('a call whose issued token LINE refuses is made again with a new one', async () => {
  const calls: unknown[] = [];
  const host = {
    async post(_path: string, _body: object, { authorization, ...headers }: Record<string, string>) {
      calls.push([authorization, headers['x-line-retry-key']]);
      return authorization === 'Bearer issued-2'
        ? { status: 200, headers: { 'x-line-request-id': 'id' }, body: {} }
        : { status: 401, headers: {}, body: {} };
    },
  };
  let issued = 0;
  const text = () => JSON.stringify({ access_token: `issued-${++issued}`, expires_in: 900 });
  const askForToken = async () => ({ outcome: 'answered', text: text() }) as const;
  const access = new LineAccess({ askForToken }, { clock: () => 0, onCall: () => undefined });
  const send = () =>
    lineSender(host as never, access).send(
      channel as never,
      {
        ...{ recipients: [{ id: `U${'0'.repeat(32)}` }], key: 'key' },
        message: { text: 'hi', quickReplies: [] },
      } as never,
    );
  assert.equal((await send()).kind, 'accepted');
  assert.deepEqual(calls, [
    ['Bearer issued-1', 'key'],
    ['Bearer issued-2', 'key'],
  ]);
});
