/** The platforms as the reader knows them, each with its colour (style/tokens.css), always in the same order. */
import { type PlatformName, platformNames } from '../../src/platforms/platform.ts';
import { t } from '../texts/frame.ts';

export { type PlatformName, platformNames };

/** The name to show; `all` stands for the sum of them. */
export function platformTitle(platform: PlatformName | 'all'): string {
  if (platform === 'all') return t('all');
  if (platform === 'liveChat') return t('liveChat');
  return { line: 'LINE', facebook: 'Messenger', instagram: 'Instagram', whatsapp: 'WhatsApp' }[platform];
}

/** The name of its custom property. */
export function platformColour(platform: PlatformName | 'all'): string {
  return platform === 'all' ? 'accent' : `platform-${platform}`;
}

export function isPlatformName(name: string): name is PlatformName {
  return platformNames.some((known) => known === name);
}
