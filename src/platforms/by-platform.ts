/** Values by platform and an id there. One map for each platform: building and hashing a joint key would slow every look-up. */
import type { PlatformName } from './platform.ts';

export class ByPlatform<Value> {
  readonly #maps = new Map<PlatformName, Map<string, Value>>();

  get(platform: PlatformName, id: string): Value | undefined {
    return this.#maps.get(platform)?.get(id);
  }

  set(platform: PlatformName, id: string, value: Value): void {
    const map = this.#maps.get(platform);
    if (map) map.set(id, value);
    else this.#maps.set(platform, new Map([[id, value]]));
  }

  /** The ids of the platform with their values. */
  entries(platform: PlatformName): [id: string, value: Value][] {
    return [...(this.#maps.get(platform) ?? [])];
  }

  /** All values, platform by platform. */
  values(): Value[] {
    return [...this.#maps.values()].flatMap((map) => [...map.values()]);
  }

  get size(): number {
    let size = 0;
    for (const map of this.#maps.values()) size += map.size;
    return size;
  }
}
