/** A platform's name with its colour. */
import { type PlatformName as Name, platformColour, platformTitle } from '../format/platforms.ts';

export function PlatformName({ platform }: { platform: Name | 'all' }) {
  if (platform === 'all') return <strong class="platform">{platformTitle(platform)}</strong>;
  return (
    <span class="platform">
      <span class="swatch" style={{ background: `var(--${platformColour(platform)})` }} aria-hidden="true" />
      {platformTitle(platform)}
    </span>
  );
}
