/**
 * Values by platform and an id there. One map for each platform: a key made of both would cost a fold more, made and hashed at
 * each look-up, than the rest of the looking.
 */
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
