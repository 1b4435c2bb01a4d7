/**
 * The health of a bot: its platforms' last deliveries, the inbox, the collector of LINE's figures, the outgoing webhooks, and the
 * bytes that live chat stored today.
 */
import { readBoxes, unsealOrNull } from '../../auth/sealed-boxes.ts';
import { listChannels } from '../../bots/channels.ts';
import { readInboxState } from '../../inbox/deliveries.ts';
import { type RefusedSummary, readRefused } from '../../inbox/refused.ts';
import { type CollectStatus, readCollectStatus } from '../../line/collector/status.ts';
import { readUsage } from '../../live-chat/usage.ts';
import { type MetaStatus, readMetaStatus } from '../../meta/status.ts';
import { readLastDeliveries } from '../../reports/totals.ts';
import { secondMs } from '../../time.ts';
import { findCallback } from '../../webhooks-out/endpoints.ts';
import { isoOrNull, withIsoDates } from '../iso.ts';
import type { Operations, Sources } from './operation.ts';

export function healthOperations({
  sql,
  keys,
  clock,
  collectLimit,
  metaLimit,
  liveChat: { byteLimits: limits },
}: Sources) {
  return {
    async getHealth({ bot: { botId, timeZone } }) {
      const now = clock();
      const [channels, deliveredAt, inbox, callback, boxes, refused] = await Promise.all([
        listChannels(sql, botId, now),
        readLastDeliveries(sql, botId),
        readInboxState(sql, botId),
        findCallback(sql, botId, now),
        readBoxes(sql, [botId], now),
        readRefused(sql, botId, now),
      ]);
      const unreadable = boxes
        .filter((box) => unsealOrNull(keys, box) === null)
        .map(({ place }) => place.platform);
      const hasLiveChat = channels.some(({ platform }) => platform === 'liveChat');
      const usage = hasLiveChat ? await readUsage(sql, { botId, timeZone }, { now, limits }) : null;
      const hasLine = channels.some(({ platform }) => platform === 'line');
      return {
        botId,
        channels: channels.map(({ platform, enabled, tokenCheck }) => ({
          ...{ platform, enabled },
          credentialsReadable: !unreadable.includes(platform),
          lastDeliveryAt: isoOrNull(deliveredAt.get(platform)),
          tokenCheck: tokenCheck && withIsoDates(tokenCheck),
          wrongSignatures: toWrongSignatures(refused.find((one) => one.platform === platform)),
        })),
        inbox: {
          waiting: inbox.waiting,
          oldestAt: isoOrNull(inbox.oldestAt),
          oldestSeconds: inbox.oldestAt && secondsSince(inbox.oldestAt, now),
          setAside: inbox.setAside,
        },
        collector: hasLine
          ? toCollector(await readCollectStatus(sql, botId, { now, limit: collectLimit }))
          : null,
        metaCollectors: (await readMetaStatus(sql, botId, { now, limit: metaLimit })).map(
          ({ platform, ...status }) => ({ platform, ...toCollector(status) }),
        ),
        callback: callback && withIsoDates(callback),
        liveChat: usage && { day: usage.day, ...usage.counts },
      };
    },
  } satisfies Partial<Operations>;
}

function toCollector({
  state,
  problem,
  kinds,
}: Pick<CollectStatus, 'state' | 'problem'> & { kinds: readonly CollectedKind[] }) {
  return { state, problem, kinds: kinds.map(withIsoDates) };
}

type CollectedKind = (CollectStatus | MetaStatus)['kinds'][number];

function toWrongSignatures(refused: RefusedSummary | undefined) {
  return { lastDay: refused?.count ?? 0, lastAt: isoOrNull(refused?.lastAt) };
}

function secondsSince(at: Date, now: number): number {
  return Math.max(0, Math.floor((now - at.getTime()) / secondMs));
}
