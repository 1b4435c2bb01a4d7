/**
 * Outgoing webhooks to a receiver that fails now and then. Every change is delivered at least once, under one id, and every message in
 * the outbox arrives.
 */
import { randomOf } from '../../simulator/events/random.ts';
import { Failure } from '../part.ts';
import type { Work } from './work.ts';
import { expectNone, type World } from './world.ts';

const failingShare = 0.1;
const brokenShare = 0.05;
const answerMsMax = 150;

/** `pointKeys` and `messageIds`: acknowledged changes that must be reported. */
export function webhooks(
  world: World,
  { pointKeys, messageIds }: { pointKeys: Set<string>; messageIds: Set<string> },
): Work {
  const { sql, botId, shop, proving } = world;
  const random = randomOf(proving.seed, 'receiver');
  let underWay = 0;
  let isFailing = false;
  let lastNoticeId = 0;
  const idByChange = new Map<string, string>();
  const doubles: string[] = [];
  shop.answer = ({ id, type, data }, response) => {
    // Received even if the answer is lost: the sender cannot know.
    const change = [type, data.contactId, data.key ?? data.messageId ?? ''].join(' ');
    const earlierId = idByChange.get(change);
    if (earlierId !== undefined && earlierId !== id) doubles.push(`${change}: ${earlierId} and ${id}`);
    idByChange.set(change, id);
    underWay += 1;
    response.once('close', () => {
      underWay -= 1;
    });
    if (isFailing && random.chance(brokenShare)) response.socket?.destroy();
    else if (isFailing && random.chance(failingShare)) response.writeHead(500).end();
    else setTimeout(() => response.end(), isFailing ? random.integer(0, answerMsMax) : 0);
  };
  return {
    name: 'outgoing webhooks',
    start() {
      isFailing = true;
    },
    async stop() {
      isFailing = false;
    },
    underWay: () => underWay,
    async check() {
      expectNone('changes were reported under two ids', doubles);
      const receivedIds = new Set(idByChange.values());
      const rows = await sql<{ noticeId: number; id: string; outcome: string | null }[]>`
        select notice_id as "noticeId", 'msg_' || notice_id || '_' || nonce as id, outcome from notices
        where bot_id = ${botId} and notice_id > ${lastNoticeId} order by notice_id`;
      expectNone(
        'webhook messages were never received',
        rows.filter(({ id, outcome }) => outcome !== 'told' || !receivedIds.has(id)),
      );
      lastNoticeId = rows.at(-1)?.noticeId ?? lastNoticeId;
      const keys = new Set([...idByChange.keys()].map((change) => change.split(' ')[2] ?? ''));
      expectNone('acknowledged changes of points were never reported', pointKeys.difference(keys));
      expectNone('acknowledged chat messages were never reported', messageIds.difference(keys));
      pointKeys.clear();
      messageIds.clear();
      const [row] = await sql<{ followers: number }[]>`
        select count(*)::integer as followers from contacts where bot_id = ${botId} and followed_at is not null`;
      const followed = [...idByChange.keys()].filter((change) =>
        change.startsWith('contact.followed '),
      ).length;
      if (row?.followers !== followed)
        throw new Failure(`${row?.followers} contacts follow, but ${followed} were reported`);
      shop.received.length = 0;
    },
  };
}
