/** The platforms with their names and colours (style/tokens.css), in a fixed order. */
import { type PlatformName, platformNames } from '../../src/platforms/platform.ts';
import { t } from '../texts/frame.ts';

export { type PlatformName, platformNames };

/** The name to show; `all` is the sum of the platforms. */
export function platformTitle(platform: PlatformName | 'all'): string {
  if (platform === 'all') return t('all');
  if (platform === 'liveChat') return t('liveChat');
  return { line: 'LINE', facebook: 'Messenger', instagram: 'Instagram', whatsapp: 'WhatsApp' }[platform];
}

/** The name of the colour's custom property. */
export function platformColour(platform: PlatformName | 'all'): string {
  return platform === 'all' ? 'accent' : `platform-${platform}`;
}

export function isPlatformName(name: string): name is PlatformName {
  return platformNames.some((one) => one === name);
}
