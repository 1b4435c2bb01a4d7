import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WebhookPlatformName } from '../src/platforms/platform.ts';
import type { EventKind, MessageStatus, Person, SimulatedEvent } from './events/event.ts';
import { expectedClientAnalysis, expectedMessageAnalysis } from './expected-answers.ts';
import { expectedFigures, expectedPoints } from './expected-figures.ts';
import type { LineReport } from './line/report.ts';
import type { World } from './world.ts';

const until = Date.parse('2026-03-02T00:00:00Z');

test('the worked example of the figures: 3 followers, 2 blocks, 3 messages, 2 conversations', () => {
  const [a, b, c] = [person('line', 'A'), person('line', 'B'), person('line', 'C')];
  const world = worldOf([
    event(a, 'follow', '10:00:00'),
    event(a, 'message', '10:01:00'),
    event(a, 'message', '10:16:00'),
    event(a, 'message', '10:31:01'),
    event(b, 'follow', '11:00:00'),
    event(b, 'unfollow', '11:05:00'),
    event(c, 'unfollow', '12:00:00'),
  ]);
  world.tags.push({ person: a, tag: 'VIP' });
  const { conversations, conversationMs, ...figures } = expectedFigures(world, 'line');
  assert.deepEqual(
    { conversations, conversationMs, ...figures },
    {
      followers: 3,
      blocks: 2,
      messages: 3,
      conversations: 2,
      conversationMessages: 3,
      conversationMs: 900_000,
      taggedContacts: 1,
    },
  );
  const { lineFollowers, lineBlocks, lineMessageNumbers, lineTagCoverRate, ...rest } =
    expectedClientAnalysis(world);
  assert.deepEqual([lineFollowers, lineBlocks, lineMessageNumbers, lineTagCoverRate], [3, 2, 3, 0.3333]);
  assert.deepEqual([rest.botTotallFollowers, rest.botTotallBlocks, rest.botTotallMessages], [3, 2, 3]);
  const analysis = expectedMessageAnalysis(world, until);
  assert.equal(analysis.lineAverageConversationValue, 2);
  assert.equal(analysis.lineAverageConversationTime, 450);
});

test('a conversation needs an inbound message', () => {
  const a = person('facebook', 'A');
  const figures = expectedFigures(
    worldOf([
      event(a, 'answer', '10:00:00'),
      event(a, 'message', '11:00:00'),
      event(a, 'answer', '11:00:30'),
    ]),
    'facebook',
  );
  assert.equal(figures.messages, 3);
  assert.equal(figures.conversations, 1);
  assert.equal(figures.conversationMessages, 2);
  assert.equal(figures.conversationMs, 30_000);
});

test('on Facebook an opt-in makes a follower, on Instagram only a message or a postback does', () => {
  const followers = (platform: WebhookPlatformName, kind: EventKind) =>
    expectedFigures(worldOf([event(person(platform, 'A'), kind, '10:00:00')]), platform).followers;
  assert.equal(followers('facebook', 'optin'), 1);
  assert.equal(followers('facebook', 'referral'), 1);
  assert.equal(followers('facebook', 'answer'), 0);
  assert.equal(followers('instagram', 'optin'), 0);
  assert.equal(followers('instagram', 'postback'), 1);
});

test('a message sent on WhatsApp counts once, at its earliest status, and not when it failed', () => {
  const a = person('whatsapp', 'A');
  const answer = (statuses: MessageStatus[]) => ({ ...event(a, 'answer', '10:14:00'), statuses });
  const status = (name: MessageStatus['status'], time: string) => ({ status: name, at: instant(time) });
  const figures = expectedFigures(
    worldOf([
      event(a, 'message', '10:00:00'),
      answer([status('read', '10:20:00'), status('sent', '10:14:00'), status('delivered', '10:15:00')]),
      answer([status('failed', '10:16:00')]),
    ]),
    'whatsapp',
  );
  assert.equal(figures.messages, 2);
  assert.equal(figures.conversationMs, 14 * 60_000);
});

test('a group message counts as a message, without a follower or a conversation', () => {
  const a = person('line', 'A');
  const figures = expectedFigures(
    worldOf([{ ...event(a, 'group-message', '10:00:00'), groupId: 'C1' }]),
    'line',
  );
  assert.deepEqual([figures.messages, figures.followers, figures.conversations], [1, 0, 0]);
});

test('of two events at the same instant, the one with the larger id is the later', () => {
  const a = person('line', 'A');
  const blocks = (follow: string, unfollow: string) =>
    expectedFigures(
      worldOf([
        { ...event(a, 'unfollow', '10:00:00'), id: unfollow },
        { ...event(a, 'follow', '10:00:00'), id: follow },
      ]),
      'line',
    ).blocks;
  assert.equal(blocks('01A', '01B'), 1);
  assert.equal(blocks('01B', '01A'), 0);
});

test("with LINE's report, followers and blocks are those of its last ready day plus later events (UTC+9)", () => {
  const [a, b, c] = [person('line', 'A'), person('line', 'B'), person('line', 'C')];
  const world = worldOf([
    { ...event(a, 'follow', '00:00:00'), at: Date.parse('2026-02-28T23:59:59.999+09:00') },
    { ...event(b, 'follow', '00:00:00'), at: Date.parse('2026-03-01T00:00:00+09:00') },
    event(a, 'unfollow', '12:00:00'),
    event(c, 'unfollow', '13:00:00'),
  ]);
  world.line = {
    ...emptyReport,
    readyDay: '2026-02-28',
    followers: new Map([['2026-02-28', { followers: 100, blocks: 7 }]]),
    sends: new Map([['2026-02-28', { apiReply: 4, stepMessage: 2 }]]),
  };
  const figures = expectedFigures(world, 'line');
  assert.deepEqual([figures.followers, figures.blocks, figures.messages], [101, 9, 6]);
});

test("a person whose first event is an unblock is among the blocks of LINE's report, also after a message", () => {
  const a = person('line', 'A');
  const unblocked = { ...event(a, 'follow', '13:00:00'), form: 'unblocked' };
  const audience = (events: SimulatedEvent[]) => {
    const world = worldOf(events);
    world.line = {
      ...emptyReport,
      readyDay: '2026-02-28',
      followers: new Map([['2026-02-28', { followers: 100, blocks: 7 }]]),
    };
    const { followers, blocks } = expectedFigures(world, 'line');
    return [followers, blocks];
  };
  assert.deepEqual(audience([unblocked]), [100, 6]);
  assert.deepEqual(audience([event(a, 'message', '12:00:00'), unblocked]), [100, 6]);
  assert.deepEqual(audience([event(a, 'follow', '12:00:00'), unblocked]), [101, 7]);
});

test('demographics have the names and groups of the contract, and ages over 50 count once', () => {
  const world = worldOf([]);
  world.line = {
    ...emptyReport,
    demographic: {
      ...emptyReport.demographic,
      available: true,
      genders: [
        { gender: 'unknown', percentage: 40.1 },
        { gender: 'male', percentage: 59.9 },
      ],
      ages: [
        { age: 'from50', percentage: 30.3 },
        { age: 'from50to54', percentage: 20.2 },
        { age: 'from70', percentage: 10.1 },
      ],
      areas: [
        { area: '台北市', percentage: 10.1 },
        { area: '高雄市', percentage: 20.3 },
        { area: '基隆市', percentage: 10.2 },
      ],
    },
  };
  const { lineGenders, lineAges, lineAreas, lineAppTypes } = expectedClientAnalysis(world);
  assert.deepEqual(lineGenders, [
    { name: '男性', percentage: 59.9 },
    { name: '未知', percentage: 40.1 },
  ]);
  assert.deepEqual(lineAges, [
    { name: '50-54歲', percentage: 20.2 },
    { name: '70歲以上', percentage: 10.1 },
  ]);
  assert.deepEqual(lineAreas, [
    { name: '北北基', percentage: 20.3 },
    { name: '高屏', percentage: 20.3 },
  ]);
  assert.deepEqual(lineAppTypes, []);
});

test('a spend uses the lot that expires first, and an expired lot has no points', () => {
  const a = person('line', 'A');
  const world = worldOf([]);
  world.points.push(
    { at: 0, key: '1', person: a, kind: 'earn', amount: 100, expiresAt: null },
    { at: 0, key: '2', person: a, kind: 'earn', amount: 50, expiresAt: until },
    { at: 0, key: '3', person: a, kind: 'spend', amount: 30, expiresAt: null },
  );
  assert.equal(expectedPoints(world, a, until - 1), 120);
  assert.equal(expectedPoints(world, a, until), 100);
});

const emptyReport: LineReport = {
  readyDay: '2026-02-27',
  followers: new Map(),
  sends: new Map(),
  demographic: {
    available: false,
    genders: [],
    ages: [],
    areas: [],
    appTypes: [],
    subscriptionPeriods: [],
  },
  quota: { value: 200, totalUsage: 0 },
};

function worldOf(events: SimulatedEvent[]): World {
  return { until, events, tags: [], points: [], line: null, hasLiveChat: false };
}

function person(platform: WebhookPlatformName, id: string): Person {
  return { platform, id, userId: null };
}

let eventCount = 0;

function event(person: Person, kind: EventKind, time: string): SimulatedEvent {
  eventCount += 1;
  return { platform: person.platform, kind, form: 'text', id: `${eventCount}`, at: instant(time), person };
}

function instant(time: string): number {
  return Date.parse(`2026-03-01T${time}+08:00`);
}
