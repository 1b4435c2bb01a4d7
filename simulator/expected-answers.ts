/**
 * The expected answers of `POST /openapi/clients/analysis` and `POST /openapi/message/analysis`, with the field names of
 * contracts/mantago.yaml (docs/figures.md, sections 5, 6 and 9).
 */
import type { PlatformName } from '../src/platforms/platform.ts';
import { dayOf, lineZone, secondMs } from '../src/time.ts';
import { type ExpectedFigures, expectedFigures, expectedLineSends } from './expected-figures.ts';
import type { World } from './world.ts';

type NamedShare = { name: string; percentage: number };
export type Answer = Record<string, number | boolean | string | NamedShare[]>;

const prefixes: Record<PlatformName, string> = {
  line: 'line',
  facebook: 'fb',
  instagram: 'ig',
  whatsapp: 'whatsapp',
  liveChat: 'liveChat',
};
const platforms = Object.keys(prefixes) as PlatformName[];

/** The fields with the sums over all platforms, in the contract's spelling. */
export const sumFields = {
  followers: 'botTotallFollowers',
  blocks: 'botTotallBlocks',
  messages: 'botTotallMessages',
} as const;

/** The `clientAnalysis` of a bot with all four webhook channels, for all platforms. */
export function expectedClientAnalysis(world: World): Answer {
  const figures = platforms.map((platform) => expectedFigures(world, platform));
  const total = (name: 'followers' | 'blocks' | 'messages') =>
    figures.reduce((sum, ofPlatform) => sum + ofPlatform[name], 0);
  return {
    ...Object.assign({}, ...platforms.map((platform, index) => audienceFields(platform, figures[index]!))),
    ...demographicFields(world),
    liveChatIsIntegration: world.hasLiveChat,
    [sumFields.followers]: total('followers'),
    [sumFields.blocks]: total('blocks'),
    [sumFields.messages]: total('messages'),
  };
}

/** The message analysis at the instant (ms), which determines the current month. */
export function expectedMessageAnalysis(world: World, now: number): Answer {
  const month = dayOf(now, lineZone).slice(0, 7);
  return {
    ...quotaFields(world),
    lineReplyAmounts: expectedLineSends(world, 'apiReply', month),
    linePushAmounts: expectedLineSends(world, 'apiPush', month),
    lineBroadcastAmounts: expectedLineSends(world, 'apiBroadcast', month),
    ...Object.assign({}, ...platforms.map((platform) => averageFields(world, platform))),
    lineIsIntegration: true,
    fbIsIntegration: true,
    instagramIsIntegration: true,
    liveChatIsIntegration: world.hasLiveChat,
    whatsappIsIntegration: true,
  };
}

function audienceFields(platform: PlatformName, figures: ExpectedFigures): Answer {
  const { followers, blocks, messages, taggedContacts } = figures;
  const prefix = prefixes[platform];
  const coverRate = roundedHalfUp(taggedContacts * 10_000, followers) / 10_000;
  return {
    [`${prefix}Followers`]: followers,
    ...(platform === 'line' || platform === 'facebook' ? { [`${prefix}Blocks`]: blocks } : {}),
    [`${prefix}MessageNumbers`]: messages,
    [`${prefix}IsIntegration`]: true,
    [`${prefix}TagCoverRate`]: Math.min(1, coverRate),
  };
}

function averageFields(world: World, platform: PlatformName): Answer {
  const { conversations, conversationMessages, conversationMs } = expectedFigures(world, platform);
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
  const demographic = world.line?.demographic;
  if (!demographic?.available) return { lineGenders: [], lineAges: [], lineAreas: [], lineAppTypes: [] };
  const { genders, ages, areas, appTypes } = demographic;
  // `from50` is the sum of the ages over 50. It counts only when these are missing.
  const hasAgesOver50 = ages.some(({ age }) => age !== 'from50' && /^from[5-7]/.test(age));
  const countedAges = ages.filter(({ age }) => age !== 'from50' || !hasAgesOver50);
  return {
    lineGenders: merged(genders.map((share) => [genderNames[share.gender] ?? '未知', share.percentage])),
    lineAges: merged(countedAges.map((share) => [ageName(share.age), share.percentage])),
    lineAreas: merged(areas.map((share) => [areaName(share.area), share.percentage])),
    lineAppTypes: merged(appTypes.map((share) => [appTypeNames[share.appType] ?? '未知', share.percentage])),
  };
}

// Percentages have at most one decimal. Sums in tenths are exact.
function merged(shares: readonly [string, number][]): NamedShare[] {
  const tenths = new Map<string, number>();
  for (const [name, percentage] of shares) {
    tenths.set(name, (tenths.get(name) ?? 0) + Math.round(percentage * 10));
  }
  return [...tenths].sort((a, b) => b[1] - a[1]).map(([name, sum]) => ({ name, percentage: sum / 10 }));
}

/** The quotient, rounded half up; 0 for a divisor of 0. */
function roundedHalfUp(dividend: number, divisor: number): number {
  return divisor === 0 ? 0 : Math.floor((2 * dividend + divisor) / (2 * divisor));
}

const genderNames: Record<string, string> = { male: '男性', female: '女性', unknown: '未知' };
const appTypeNames: Record<string, string> = { ios: 'iOS', android: 'Android', others: '未知' };
const areaGroups: Record<string, string> = {
  北北基: '台北市 新北市 基隆市',
  桃竹苗: '桃園市 新竹市 新竹縣 苗栗縣',
  中彰投: '台中市 彰化縣 南投縣',
  雲嘉南: '雲林縣 嘉義市 嘉義縣 台南市',
  高屏: '高雄市 屏東縣',
  宜花東: '宜蘭縣 花蓮縣 台東縣',
  澎金馬: '澎湖縣 金門縣 連江縣',
  未知: 'unknown',
};

function areaName(area: string): string {
  return Object.keys(areaGroups).find((group) => areaGroups[group]?.split(' ').includes(area)) ?? area;
}

function ageName(age: string): string {
  const [, from, to] = /^from(\d+)(?:to(\d+))?$/.exec(age) ?? [];
  if (from === undefined) return '未知';
  return to === undefined ? `${from}歲以上` : `${from}-${to}歲`;
}
