/**
 * The answers of `POST /openapi/clients/analysis` and `POST /openapi/message/analysis` that the truth asks for, in the
 * contract's words (contracts/mantago.yaml; figures.md, sections 5, 6 and 9).
 */
import type { PlatformName } from '../src/platforms/platform.ts';
import { dayOf, lineZone, secondMs } from '../src/time.ts';
import { lineSendsInMonth, type PlatformTruth, platformTruth } from './oracle.ts';
import type { World } from './world.ts';

export type NamedShare = { name: string; percentage: number };
export type Answer = Record<string, number | boolean | string | NamedShare[]>;

const prefixes: Record<PlatformName, string> = {
  line: 'line',
  facebook: 'fb',
  instagram: 'ig',
  whatsapp: 'whatsapp',
  liveChat: 'liveChat',
};
const platforms = Object.keys(prefixes) as PlatformName[];

/** The fields that hold the sums over all platforms, in the contract's spelling. */
export const sumFields = {
  followers: 'botTotallFollowers',
  blocks: 'botTotallBlocks',
  messages: 'botTotallMessages',
} as const;

/** The `clientAnalysis` of the world's bot, all four webhook channels connected; no platform asked for. */
export function clientAnalysisOf(world: World): Answer {
  const truths = platforms.map((platform) => ({ platform, truth: platformTruth(world, platform) }));
  const total = (figure: 'followers' | 'blocks' | 'messages') =>
    truths.reduce((sum, { truth }) => sum + truth[figure], 0);
  return {
    ...Object.assign({}, ...truths.map(({ platform, truth }) => audienceFields(prefixes[platform], truth))),
    lineBlocks: truths.find(({ platform }) => platform === 'line')?.truth.blocks ?? 0,
    fbBlocks: truths.find(({ platform }) => platform === 'facebook')?.truth.blocks ?? 0,
    ...demographicFields(world),
    liveChatIsIntegration: world.hasLiveChat,
    [sumFields.followers]: total('followers'),
    [sumFields.blocks]: total('blocks'),
    [sumFields.messages]: total('messages'),
  };
}

/** The message analysis of the world's bot at the instant (ms), which decides the current month. */
export function messageAnalysisOf(world: World, now: number): Answer {
  const month = dayOf(now, lineZone).slice(0, 7);
  return {
    ...quotaFields(world),
    lineReplyAmounts: lineSendsInMonth(world, 'apiReply', month),
    linePushAmounts: lineSendsInMonth(world, 'apiPush', month),
    lineBroadcastAmounts: lineSendsInMonth(world, 'apiBroadcast', month),
    ...Object.assign({}, ...platforms.map((platform) => averageFields(world, platform))),
    lineIsIntegration: true,
    fbIsIntegration: true,
    instagramIsIntegration: true,
    liveChatIsIntegration: world.hasLiveChat,
    whatsappIsIntegration: true,
  };
}

function audienceFields(prefix: string, truth: PlatformTruth): Answer {
  const cover =
    truth.followers === 0 ? 0 : roundedHalfUp(truth.taggedContacts * 10_000, truth.followers) / 10_000;
  return {
    [`${prefix}Followers`]: truth.followers,
    [`${prefix}MessageNumbers`]: truth.messages,
    [`${prefix}IsIntegration`]: true,
    [`${prefix}TagCoverRate`]: Math.min(1, cover),
  };
}

function averageFields(world: World, platform: PlatformName): Answer {
  const { conversations, conversationMessages, conversationMs } = platformTruth(world, platform);
  const prefix = prefixes[platform];
  return {
    [`${prefix}AverageConversationValue`]: roundedHalfUp(conversationMessages, conversations),
    [`${prefix}AverageConversationTime`]: roundedHalfUp(conversationMs, conversations * secondMs),
  };
}

function quotaFields(world: World): Answer {
  if (!world.line) return {};
  const { value, totalUsage } = world.line.quota;
  const lineProgram = value < 3_000 ? '輕用量' : value < 6_000 ? '中用量' : '高用量';
  return { lineQuota: value, lineQuotaConsumption: totalUsage, lineProgram };
}

function demographicFields(world: World): Answer {
  const shown = world.line?.demographic;
  if (!shown?.available) return { lineGenders: [], lineAges: [], lineAreas: [], lineAppTypes: [] };
  const hasParts = shown.ages.some(({ age }) => age !== 'from50' && /^from[5-7]/.test(age));
  const ages = shown.ages.filter(({ age }) => age !== 'from50' || !hasParts);
  return {
    lineGenders: merged(
      shown.genders.map(({ gender, percentage }) => [genderNames[gender] ?? '未知', percentage]),
    ),
    lineAges: merged(ages.map(({ age, percentage }) => [ageName(age), percentage])),
    lineAreas: merged(shown.areas.map(({ area, percentage }) => [areaName(area), percentage])),
    lineAppTypes: merged(
      shown.appTypes.map(({ appType, percentage }) => [appTypeNames[appType] ?? '未知', percentage]),
    ),
  };
}

// Shares have one decimal at most, so that they add up exactly in tenths.
function merged(shares: readonly [string, number][]): NamedShare[] {
  const tenths = new Map<string, number>();
  for (const [name, percentage] of shares) {
    tenths.set(name, (tenths.get(name) ?? 0) + Math.round(percentage * 10));
  }
  return [...tenths].sort((a, b) => b[1] - a[1]).map(([name, sum]) => ({ name, percentage: sum / 10 }));
}

/** The quotient, rounded half up; 0 without anything to divide by. */
function roundedHalfUp(dividend: number, divisor: number): number {
  return divisor === 0 ? 0 : Math.floor((2 * dividend + divisor) / (2 * divisor));
}

const genderNames: Record<string, string> = { male: '男性', female: '女性', unknown: '未知' };
const appTypeNames: Record<string, string> = { ios: 'iOS', android: 'Android', others: '未知' };
const areaGroups: Record<string, readonly string[]> = {
  北北基: ['台北市', '新北市', '基隆市'],
  桃竹苗: ['桃園市', '新竹市', '新竹縣', '苗栗縣'],
  中彰投: ['台中市', '彰化縣', '南投縣'],
  雲嘉南: ['雲林縣', '嘉義市', '嘉義縣', '台南市'],
  高屏: ['高雄市', '屏東縣'],
  宜花東: ['宜蘭縣', '花蓮縣', '台東縣'],
  澎金馬: ['澎湖縣', '金門縣', '連江縣'],
  未知: ['unknown'],
};

function areaName(area: string): string {
  return Object.keys(areaGroups).find((group) => areaGroups[group]?.includes(area)) ?? area;
}

function ageName(age: string): string {
  const [, from, to] = /^from(\d+)(?:to(\d+))?$/.exec(age) ?? [];
  if (from === undefined) return '未知';
  return to === undefined ? `${from}歲以上` : `${from}-${to}歲`;
}
