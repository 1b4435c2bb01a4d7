/**
 * The health of a bot: its platforms' deliveries and refusals, the inbox, the collectors of the platforms' figures, the outgoing
 * webhooks, the bytes that live chat stored today, and the installation.
 */
import { statfs } from 'node:fs/promises';
import { runningAlerts } from '../../alerts/log.ts';
import { readBoxes, unsealOrNull } from '../../auth/sealed-boxes.ts';
import { listChannels } from '../../bots/channels.ts';
import { askPresentAgain, endPauses } from '../../collector/collections.ts';
import { countPrepared } from '../../database/cluster.ts';
import { readInboxState, readRates } from '../../inbox/deliveries.ts';
import { type RefusedSummary, readRefused } from '../../inbox/refused.ts';
import { presentKinds as linePresentKinds } from '../../line/collector/kinds.ts';
import { type CollectStatus, readCollectStatus } from '../../line/collector/status.ts';
import { readUsage } from '../../live-chat/usage.ts';
import { presentKinds as metaPresentKinds } from '../../meta/kinds.ts';
import { type MetaStatus, readMetaStatus } from '../../meta/status.ts';
import { readLastDeliveries } from '../../reports/totals.ts';
import { secondMs } from '../../time.ts';
import { findCallback } from '../../webhooks-out/endpoints.ts';
import { isoOf, isoOrNull, withIsoDates } from '../iso.ts';
import type { Operations, Sources } from './operation.ts';

export function healthOperations({
  sql,
  keys,
  clock,
  dataFolder,
  collectLimit,
  metaLimit,
  liveChat: { byteLimits: limits },
}: Sources) {
  return {
    async collectNow({ bot: { botId } }) {
      await endPauses(sql, botId);
      await askPresentAgain(sql, botId, [...linePresentKinds, ...metaPresentKinds]);
    },
    async getHealth({ bot: { botId, timeZone }, caller }) {
      const now = clock();
      const [channels, deliveredAt, inbox, callback, boxes, refused, rates, alerts] = await Promise.all([
        listChannels(sql, botId, now),
        readLastDeliveries(sql, botId),
        readInboxState(sql, botId),
        findCallback(sql, botId, now),
        readBoxes(sql, [botId], now),
        readRefused(sql, botId, now),
        readRates(sql, botId, { now }),
        runningAlerts(sql, botId),
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
          deliveriesPerMinute: rates.get(platform) ?? 0,
          tokenCheck: tokenCheck && withIsoDates(tokenCheck),
          ...toRefusals(refused.filter((one) => one.platform === platform)),
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
        alerts: alerts.map(withIsoDates),
        installation:
          caller.botIds === null
            ? { disk: await readDisk(dataFolder), preparedTransactions: await countPrepared(sql) }
            : null,
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

function toRefusals(refused: readonly RefusedSummary[]) {
  const refusals = refused
    .toSorted((one, other) => other.lastAt.getTime() - one.lastAt.getTime())
    .map(({ reason, count, lastAt }) => ({ reason, lastDay: count, lastAt: isoOf(lastAt) }));
  const { lastDay = 0, lastAt = null } = refusals.find(({ reason }) => reason === 'wrong-signature') ?? {};
  return { refusals, wrongSignatures: { lastDay, lastAt } };
}

async function readDisk(folder: string | null) {
  if (folder === null) return null;
  const { bavail, blocks, bsize } = await statfs(folder);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

function secondsSince(at: Date, now: number): number {
  return Math.max(0, Math.floor((now - at.getTime()) / secondMs));
}
