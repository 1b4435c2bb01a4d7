/**
 * A bot's figures in MantaGo's fields (figures.md, sections 5 and 6), as pure code. MantaGo's spelling, the misspelt totals
 * among it, stays in here.
 */
import type { PlatformName } from '../../platforms/platform.ts';
import { averageMessages, averageSeconds, tagCoverRate } from '../../reports/rates.ts';
import type { BotFigures, PlatformFigures } from '../../reports/totals.ts';
import { toDemographic } from './names.ts';

export type Fields = Record<string, unknown>;

/** How each platform's fields begin. */
export const prefixes: Readonly<Record<PlatformName, string>> = {
  line: 'line',
  facebook: 'fb',
  instagram: 'ig',
  liveChat: 'liveChat',
  whatsapp: 'whatsapp',
};
const platforms = Object.keys(prefixes) as PlatformName[];
/** On the others nobody can block. */
const blockPlatforms: readonly PlatformName[] = ['line', 'facebook'];

/** `clientAnalysis`: one platform's fields, or with null those of all platforms and the totals. */
export function toClientAnalysis(figures: BotFigures, platform: PlatformName | null): Fields {
  if (platform !== null) return audienceFields(figures, platform);
  const total = (figure: 'followers' | 'blocks' | 'messages', of: readonly PlatformName[]) =>
    of.reduce((sum, name) => sum + figures.platforms[name][figure], 0);
  return {
    ...Object.assign({}, ...platforms.map((name) => audienceFields(figures, name))),
    botTotallFollowers: total('followers', platforms),
    botTotallBlocks: total('blocks', blockPlatforms),
    botTotallMessages: total('messages', platforms),
  };
}

/** The figures of the message analysis, which stand beside `success` and `message`. What was never read of LINE is left out. */
export function toMessageAnalysis({ platforms: of, quota, lineProgram, lineSends }: BotFigures): Fields {
  const lineQuota = quota?.type === 'none' ? undefined : quota?.value;
  return {
    lineQuota,
    lineQuotaConsumption: quota?.totalUsage,
    lineReplyAmounts: lineSends.reply,
    linePushAmounts: lineSends.push,
    lineBroadcastAmounts: lineSends.broadcast,
    lineProgram: lineProgram ?? programOf(lineQuota),
    ...Object.assign({}, ...platforms.map((name) => averageFields(prefixes[name], of[name]))),
    lineIsIntegration: of.line.integrated,
    fbIsIntegration: of.facebook.integrated,
    instagramIsIntegration: of.instagram.integrated,
    liveChatIsIntegration: of.liveChat.integrated,
    whatsappIsIntegration: of.whatsapp.integrated,
  };
}

function audienceFields(figures: BotFigures, platform: PlatformName): Fields {
  const prefix = prefixes[platform];
  const own = figures.platforms[platform];
  const { followers, blocks, messages, integrated } = own;
  return {
    [`${prefix}Followers`]: followers,
    ...(blockPlatforms.includes(platform) ? { [`${prefix}Blocks`]: blocks } : {}),
    ...(platform === 'line' ? demographicFields(figures) : {}),
    [`${prefix}MessageNumbers`]: messages,
    [`${prefix}IsIntegration`]: integrated,
    [`${prefix}TagCoverRate`]: tagCoverRate(own),
  };
}

function demographicFields({ demographic }: BotFigures): Fields {
  const { genders, ages, areas, appTypes } = toDemographic(demographic);
  return { lineGenders: genders, lineAges: ages, lineAreas: areas, lineAppTypes: appTypes };
}

function averageFields(prefix: string, figures: PlatformFigures): Fields {
  return {
    [`${prefix}AverageConversationValue`]: averageMessages(figures),
    [`${prefix}AverageConversationTime`]: averageSeconds(figures),
  };
}

/** Taiwan's plans by their free messages a month (since September 2023: 200, 3,000, 6,000). */
function programOf(quota: number | undefined): string | undefined {
  if (quota === undefined) return undefined;
  return quota < 3_000 ? '輕用量' : quota < 6_000 ? '中用量' : '高用量';
}
