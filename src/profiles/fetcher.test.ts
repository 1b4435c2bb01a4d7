import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { testDatabase } from '../../tests/harness/database.ts';
import { foldPending } from '../../tests/harness/fold.ts';
import { openKeys } from '../auth/keys.ts';
import { setChannel } from '../bots/set-channel.ts';
import { createContacts } from '../contacts/contacts.ts';
import { setAttributes } from '../contacts/profiles.ts';
import { putDeliveries } from '../inbox/inbox.ts';
import { forgetStep, planForgetting } from '../privacy/forget-contact.ts';
import { dayMs, hourMs, secondMs } from '../time.ts';
import { ProfileFetcher } from './fetcher.ts';
import { type FetchedProfile, readProfile } from './profile.ts';
import { readProfileState } from './queue.ts';

const start = Date.parse('2026-03-01T00:00:00Z');
const botId = 'shop';
const userId = (number: number): string => `U${String(number).padStart(32, '0')}`;
const found = (values: Parameters<typeof readProfile>[0]) => ({
  outcome: 'found' as const,
  profile: readProfile(values),
});

type EventType = 'message' | 'follow' | 'unfollow';

/** A bot with a LINE channel, and a platform that answers with `answers` or the name of the id. */
async function shop(t: TestContext, { perSecond = 20 } = {}) {
  const { sql } = await testDatabase(t);
  const keys = await openKeys({
    secretKey: 'a secret key for tests, long enough',
    dataFolder: '',
    random: randomBytes,
  });
  const calls: string[] = [];
  const answers = new Map<string, FetchedProfile>();
  const state = {
    now: start,
    pausedMs: 0,
    /** The time that the calls took. */
    tookMs: 0,
    calls,
    answers,
    during: async (_id: string): Promise<void> => undefined,
  };
  const settings = { platform: 'line', secret: 'secret', accessToken: 'token' } as const;
  const setToken = (bot = botId) =>
    setChannel(sql, { ...settings, botId: bot }, { now: state.now, random: randomBytes, keys });
  await sql`insert into bots (bot_id, name) values (${botId}, 'Shop')`;
  await setToken();
  const addFetcher = () =>
    new ProfileFetcher({
      ...{ sql, keys, perSecond, clock: () => state.now },
      pause: async (ms) => {
        state.pausedMs += ms;
      },
      monotonicMs: () => state.tookMs,
      log: { warn: () => undefined, error: () => undefined },
      sources: [
        {
          platform: 'line',
          async fetchProfile({ accessToken }, id) {
            assert.equal(accessToken, 'token');
            calls.push(id);
            await state.during(id);
            return answers.get(id) ?? found({ name: `Name ${Number(id.slice(1))}` });
          },
          close: async () => undefined,
        },
      ],
    });
  const fetcher = addFetcher();
  const people = (ids: readonly string[], bot = botId) =>
    createContacts(sql, bot, 'line', ids, { now: state.now, random: randomBytes });
  let events = 0;
  /** Folds events of a person, a millisecond apart, in one batch. */
  const fold = async (types: EventType | readonly EventType[], id: string) => {
    const items = [types].flat().map((type, index) => ({
      ...{ type, timestamp: state.now + index, mode: 'active', source: { type: 'user', userId: id } },
      webhookEventId: `01HV${String(events++).padStart(22, '0')}`,
      deliveryContext: { isRedelivery: false },
      ...(type === 'message' ? { message: { type: 'text', id: '1', text: 'hello' } } : {}),
      ...(type === 'follow' ? { follow: { isUnblocked: true } } : {}),
    }));
    const body = Buffer.from(JSON.stringify({ destination: `U${'d'.repeat(32)}`, events: items }));
    await putDeliveries(sql, [{ botId, platform: 'line', source: 'webhook', body, receivedAt: state.now }]);
    await foldPending(sql, botId, { now: state.now, random: randomBytes });
  };
  const profiles = async () => {
    const rows = await sql<{ id: string; name: string | null }[]>`
      select platform_contact_id as id, name from contact_profiles join contacts using (bot_id, contact_id)
      where name is not null order by 1`;
    return rows.map(({ id, name }) => `${Number(id.slice(1))} ${name}`);
  };
  const contactId = async (id: string) => {
    const [row] = await sql<{ contactId: string }[]>`
      select contact_id as "contactId" from contacts where platform_contact_id = ${id}`;
    return row?.contactId ?? '';
  };
  return { sql, state, fetcher, addFetcher, people, fold, profiles, contactId, setToken, calls, answers };
}

test('the fold queues new people, and each is asked about once, within the rate', async (t) => {
  const { state, fetcher, fold, people, profiles, calls } = await shop(t, { perSecond: 2 });
  await fold('message', userId(1));
  await fold('follow', userId(2));
  await people([userId(3)]);
  assert.equal(await fetcher.round(), 3);
  assert.equal(state.pausedMs, secondMs, 'the third call waits for the next second');
  await people([userId(4)]);
  assert.equal(await fetcher.round(), 0, 'the rate of the step is used up');
  state.now += 1_500;
  assert.equal(await fetcher.round(), 1);
  state.now += dayMs;
  await fold('message', userId(1));
  assert.equal(await fetcher.round(), 0);
  assert.deepEqual([...calls].sort(), [1, 2, 3, 4].map(userId));
  assert.deepEqual(await profiles(), ['1 Name 1', '2 Name 2', '3 Name 3', '4 Name 4']);
});

test('a profile is read again after 30 days, and replaced except a name that the business set', async (t) => {
  const { sql, state, fetcher, fold, answers, contactId } = await shop(t);
  await fold('follow', userId(1));
  await fold('follow', userId(2));
  const values = {
    pictureUrl: 'https://cdn.example/1.png',
    language: 'ja',
    statusMessage: 'hi',
    accountName: 'ada',
  };
  answers.set(userId(1), found({ name: 'Ada', ...values }));
  await fetcher.round();
  const named = { botId, contactId: await contactId(userId(2)), attributes: { name: 'Our Ben' } };
  await sql.begin((tx) => setAttributes(tx, named, { now: state.now }));
  state.now += 30 * dayMs - 1;
  assert.equal(await fetcher.round(), 0);
  answers.set(userId(1), found({ name: 'Ada Lin', ...values, statusMessage: null }));
  state.now += 1;
  assert.equal(await fetcher.round(), 2);
  const rows = await sql`
    select name, picture_url, language, status_message, account_name from contact_profiles order by name`;
  assert.deepEqual(
    rows.map((row) => Object.values(row)),
    [
      ['Ada Lin', 'https://cdn.example/1.png', 'ja', null, 'ada'],
      ['Our Ben', null, null, null, null],
    ],
  );
});

test('a person without a profile is not asked about again, until the person unblocks the account', async (t) => {
  const { state, fetcher, fold, answers, calls, profiles } = await shop(t);
  await fold('follow', userId(1));
  answers.set(userId(1), { outcome: 'gone' });
  state.now += 1;
  await fold('unfollow', userId(1));
  await fetcher.round();
  state.now += 400 * dayMs;
  await fold('message', userId(2));
  await fetcher.round();
  assert.deepEqual(calls, [1, 2].map(userId));
  answers.delete(userId(1));
  await fold('follow', userId(1));
  state.now += secondMs;
  await fetcher.round();
  assert.deepEqual(await profiles(), ['1 Name 1', '2 Name 2']);
});

test('where the platform does not report the end of a block, a person without a profile is asked about again after 30 days', async (t) => {
  const { state, fetcher, people, answers, profiles } = await shop(t);
  await people([userId(1)]);
  answers.set(userId(1), { outcome: 'gone', isAskedAgain: true });
  await fetcher.round();
  answers.clear();
  state.now += 30 * dayMs - 1;
  assert.equal(await fetcher.round(), 0);
  state.now += 1;
  assert.equal(await fetcher.round(), 1);
  assert.deepEqual(await profiles(), ['1 Name 1']);
});

test('a failure of one person delays that person only; a failure of the channel pauses it until its settings change', async (t) => {
  const { sql, state, fetcher, people, answers, profiles, setToken } = await shop(t);
  await people([1, 2, 3].map(userId));
  answers.set(userId(1), { outcome: 'failed', problem: 'odd' });
  await fetcher.round();
  assert.deepEqual(await profiles(), ['2 Name 2', '3 Name 3']);
  answers.clear();
  state.now += hourMs - 1;
  assert.equal(await fetcher.round(), 0);
  state.now += 1;
  assert.equal(await fetcher.round(), 1);

  await people([userId(4)]);
  answers.set(userId(4), { outcome: 'paused', problem: 'The token is refused.', retryMs: dayMs });
  state.now += secondMs;
  assert.equal(await fetcher.round(), 1);
  state.now += dayMs - 1;
  assert.equal(await fetcher.round(), 0);
  assert.deepEqual(await readProfileState(sql, { botId, platform: 'line' }, state.now), {
    waiting: 1,
    problem: 'The token is refused.',
  });
  answers.clear();
  await setToken();
  assert.equal(await fetcher.round(), 1);
  assert.deepEqual(await readProfileState(sql, { botId, platform: 'line' }, state.now), {
    waiting: 0,
    problem: null,
  });
});

test('a channel pauses before the limit of calls is used up, and keeps the answer that says so', async (t) => {
  const { sql, state, fetcher, people, answers, profiles, calls } = await shop(t);
  await people([1, 2].map(userId));
  answers.set(userId(1), { ...found({ name: 'Ada' }), pauseMs: hourMs });
  answers.set(userId(2), { ...found({ name: 'Ben' }), pauseMs: hourMs });
  await fetcher.round();
  assert.deepEqual(await profiles(), ['1 Ada', '2 Ben']);
  await people([userId(3)]);
  state.now += hourMs - 1;
  assert.equal(await fetcher.round(), 0);
  const { problem, waiting } = await readProfileState(sql, { botId, platform: 'line' }, state.now);
  assert.deepEqual([problem, waiting], ["The platform's limit of calls is nearly used up.", 1]);
  state.now += 1;
  assert.equal(await fetcher.round(), 1);
  assert.equal(calls.length, 3);
});

test('two processes never ask about a channel at the same time, and a killed one leaves its contacts due', async (t) => {
  const { state, fetcher, addFetcher, people, profiles, calls } = await shop(t);
  await people([1, 2, 3, 4].map(userId));
  state.during = async () => {
    state.during = async () => undefined;
    assert.equal(await addFetcher().round(), 0);
  };
  assert.equal(await fetcher.round(), 4);
  await people([userId(5)]);
  state.now += secondMs;
  state.during = () => Promise.reject(new Error('killed'));
  await assert.rejects(fetcher.round(), /killed/);
  state.during = async () => undefined;
  assert.equal(await addFetcher().round(), 1);
  assert.equal(calls.length, 6);
  assert.equal((await profiles()).length, 5);
});

test('a contact that is deleted or unblocks during the call keeps its state', async (t) => {
  const { sql, state, fetcher, fold, answers, profiles, contactId } = await shop(t);
  await fold('follow', userId(1));
  const deleted = { botId, contactId: await contactId(userId(1)) };
  const options = { now: state.now + dayMs, random: randomBytes };
  state.during = async () => {
    let step: Parameters<typeof forgetStep>[2] | null = await planForgetting(sql, deleted, options);
    while (step !== null) step = await forgetStep(sql, deleted, step, options);
  };
  await fetcher.round();
  assert.deepEqual(await profiles(), []);

  state.now += 2 * dayMs;
  await fold('follow', userId(2));
  state.now += 1;
  await fold('unfollow', userId(2));
  answers.set(userId(2), { outcome: 'gone' });
  state.during = async () => {
    state.now += 1;
    await fold('follow', userId(2));
  };
  await fetcher.round();
  state.during = async () => undefined;
  answers.clear();
  state.now += secondMs;
  await fetcher.round();
  assert.deepEqual(await profiles(), ['2 Name 2']);
});

test('a step of a slow platform ends after ten seconds, and the rest of its contacts stay due', async (t) => {
  const { sql, state, fetcher, people, calls, profiles } = await shop(t);
  await people(Array.from({ length: 60 }, (_, index) => userId(index)));
  // Eight calls at a time, each takes three seconds.
  state.during = async () => {
    if (calls.length % 8 === 0) state.tookMs += 3 * secondMs;
  };
  assert.equal(await fetcher.round(), 32);
  assert.equal((await profiles()).length, 32);
  const { waiting } = await readProfileState(sql, { botId, platform: 'line' }, state.now);
  assert.equal(waiting, 28);
});

test('a channel that becomes due is asked while a slow channel is still busy', async (t) => {
  const { sql, state, fetcher, people, setToken } = await shop(t);
  await sql`insert into bots (bot_id, name) values ('other', 'Other')`;
  await setToken('other');
  await people([userId(1)]);
  const [isSlowBusy, slowEnd, isOtherAsked] = [1, 2, 3].map(() => Promise.withResolvers<void>());
  assert.ok(isSlowBusy && slowEnd && isOtherAsked);
  state.during = async (id) => {
    if (id === userId(2)) return isOtherAsked.resolve();
    isSlowBusy.resolve();
    await slowEnd.promise;
  };
  t.after(() => fetcher.stop());
  fetcher.start();
  await isSlowBusy.promise;
  await people([userId(2)], 'other');
  state.tookMs += secondMs;
  const timer = setTimeout(() => isOtherAsked.reject(new Error('the other channel waits')), 30 * secondMs);
  t.after(() => clearTimeout(timer));
  await isOtherAsked.promise.finally(() => slowEnd.resolve());
});

test('a person who blocks and unblocks the account during the call is asked about again', async (t) => {
  const { state, fetcher, fold, answers, profiles } = await shop(t);
  await fold('follow', userId(1));
  answers.set(userId(1), { outcome: 'gone' });
  state.during = async () => {
    for (const type of ['unfollow', 'follow'] as const) {
      state.now += 1;
      await fold(type, userId(1));
    }
  };
  await fetcher.round();
  state.during = async () => undefined;
  answers.clear();
  state.now += secondMs;
  assert.equal(await fetcher.round(), 1);
  assert.deepEqual(await profiles(), ['1 Name 1']);
  state.now += secondMs;
  assert.equal(await fetcher.round(), 0);
});

test('a person who blocks and unblocks the account within one batch, or unblocks it unseen, is asked about again', async (t) => {
  const { state, fetcher, fold, answers, profiles, calls } = await shop(t);
  const [ada, ben, cleo] = [1, 2, 3].map(userId) as [string, string, string];
  await fold(['unfollow', 'follow'], ada);
  await fold('follow', ben);
  await fold(['unfollow', 'follow'], cleo);
  // LINE knows of the blocks before their webhooks arrive.
  for (const id of [ada, ben, cleo]) answers.set(id, { outcome: 'gone' });
  await fetcher.round();
  state.now += dayMs;
  answers.clear();
  await fold(['unfollow', 'follow'], ada);
  await fold('follow', ben);
  await fold(['message', 'message'], cleo);
  state.now += secondMs;
  assert.equal(await fetcher.round(), 2, 'messages end no block');
  assert.deepEqual(calls.slice(3).sort(), [ada, ben]);
  assert.deepEqual(await profiles(), ['1 Name 1', '2 Name 2']);
});

test('texts of a profile are composed and bounded, and other values are dropped', () => {
  const read = readProfile({
    name: ` Ame\u0301lie\n🌸 ${'字'.repeat(600)}`,
    accountName: '',
    pictureUrl: 'javascript:alert(1)',
    language: 7,
    statusMessage: '\u0000שלום\ud800',
  });
  assert.equal([...(read.name ?? '')].length, 500);
  assert.ok(read.name?.startsWith('Amélie 🌸 字'));
  assert.deepEqual(
    { ...read, name: '' },
    {
      name: '',
      accountName: null,
      pictureUrl: null,
      language: null,
      statusMessage: 'שלום',
    },
  );
});
