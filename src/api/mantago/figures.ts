/**
 * A bot's figures in MantaGo's fields (figures.md, sections 5 and 6), as pure functions. MantaGo's spelling, including the misspelt
 * totals, occurs only in this file.
 */
import type { LineProgram } from '../../bots/bots.ts';
import type { PlatformName } from '../../platforms/platform.ts';
import { averageMessages, averageSeconds, tagCoverRate } from '../../reports/rates.ts';
import type { BotFigures, PlatformFigures } from '../../reports/totals.ts';
import { toDemographic } from './names.ts';
import type { Answer } from './operation.ts';

type ClientAnalysis = NonNullable<Answer<'getClientAnalysis'>['clientAnalysis']>;

/** The prefixes of each platform's fields. */
export const prefixes: Readonly<Record<PlatformName, string>> = {
  line: 'line',
  facebook: 'fb',
  instagram: 'ig',
  liveChat: 'liveChat',
  whatsapp: 'whatsapp',
};
const platforms = Object.keys(prefixes) as PlatformName[];
/** The other platforms have no blocks. */
const blockPlatforms: readonly PlatformName[] = ['line', 'facebook'];

/** `clientAnalysis`: one platform's fields, or for null those of all platforms and the totals. */
export function toClientAnalysis(figures: BotFigures, platform: PlatformName | null): ClientAnalysis {
  if (platform !== null) return audienceFields(figures, platform);
  const total = (figure: 'followers' | 'blocks' | 'messages', names: readonly PlatformName[]) =>
    names.reduce((sum, name) => sum + figures.platforms[name][figure], 0);
  return {
    ...Object.assign({}, ...platforms.map((name) => audienceFields(figures, name))),
    botTotallFollowers: total('followers', platforms),
    botTotallBlocks: total('blocks', blockPlatforms),
    botTotallMessages: total('messages', platforms),
  };
}

/** The figures of the message analysis. A LINE figure that was never read is left out. */
export function toMessageAnalysis({
  platforms: figuresOf,
  quota,
  lineProgram,
  lineSends,
}: BotFigures): Answer<'getMessageAnalysis'> {
  const lineQuota = quota?.type === 'none' ? undefined : quota?.value;
  return {
    lineQuota,
    lineQuotaConsumption: quota?.totalUsage,
    lineReplyAmounts: lineSends.reply,
    linePushAmounts: lineSends.push,
    lineBroadcastAmounts: lineSends.broadcast,
    lineProgram: lineProgram ?? programOf(lineQuota),
    ...Object.assign({}, ...platforms.map((name) => averageFields(prefixes[name], figuresOf[name]))),
    lineIsIntegration: figuresOf.line.integrated,
    fbIsIntegration: figuresOf.facebook.integrated,
    instagramIsIntegration: figuresOf.instagram.integrated,
    liveChatIsIntegration: figuresOf.liveChat.integrated,
    whatsappIsIntegration: figuresOf.whatsapp.integrated,
  };
}

function audienceFields(figures: BotFigures, platform: PlatformName): ClientAnalysis {
  const prefix = prefixes[platform];
  const platformFigures = figures.platforms[platform];
  const { followers, blocks, messages, integrated } = platformFigures;
  return {
    [`${prefix}Followers`]: followers,
    ...(blockPlatforms.includes(platform) ? { [`${prefix}Blocks`]: blocks } : {}),
    ...(platform === 'line' ? demographicFields(figures) : {}),
    [`${prefix}MessageNumbers`]: messages,
    [`${prefix}IsIntegration`]: integrated,
    [`${prefix}TagCoverRate`]: tagCoverRate(platformFigures),
  };
}

function demographicFields({ demographic }: BotFigures): ClientAnalysis {
  const { genders, ages, areas, appTypes } = toDemographic(demographic);
  return { lineGenders: genders, lineAges: ages, lineAreas: areas, lineAppTypes: appTypes };
}

function averageFields(prefix: string, figures: PlatformFigures) {
  return {
    [`${prefix}AverageConversationValue`]: averageMessages(figures),
    [`${prefix}AverageConversationTime`]: averageSeconds(figures),
  };
}

/** Taiwan's plans by their free messages a month (since September 2023: 200, 3,000, 6,000). */
function programOf(quota: number | undefined): LineProgram | undefined {
  if (quota === undefined) return undefined;
  return quota < 3_000 ? '輕用量' : quota < 6_000 ? '中用量' : '高用量';
}
