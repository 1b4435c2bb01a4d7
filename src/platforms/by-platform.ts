/** Values by platform and an id there. One map for each platform: building and hashing a joint key would slow every look-up. */
import type { PlatformName } from './platform.ts';

export class ByPlatform<Value> {
  /** An object, because most of these are small and short-lived: a batch of many bots has several of each. */
  readonly #maps: Partial<Record<PlatformName, Map<string, Value>>> = {};

  get(platform: PlatformName, id: string): Value | undefined {
    return this.#maps[platform]?.get(id);
  }

  set(platform: PlatformName, id: string, value: Value): void {
    this.#maps[platform] ??= new Map();
    this.#maps[platform].set(id, value);
  }

  /** The ids of the platform with their values. */
  entries(platform: PlatformName): [id: string, value: Value][] {
    return [...(this.#maps[platform] ?? [])];
  }

  /** All values, platform by platform. */
  values(): Value[] {
    const [first, ...others] = Object.values(this.#maps).map((map) => [...map.values()]);
    return others.length === 0 ? (first ?? []) : [first ?? [], ...others].flat();
  }

  get size(): number {
    return Object.values(this.#maps).reduce((size, map) => size + map.size, 0);
  }
}
