/** Load of every kind on a world, and the comparison of everything acknowledged with everything stored. */
import { broadcasts } from './broadcasts.ts';
import { chat } from './chat.ts';
import { collecting } from './collecting.ts';
import { type Deliveries, deliveries, goesOn } from './deliveries.ts';
import { points } from './points.ts';
import { sends } from './sends.ts';
import { exports, imports } from './transfers.ts';
import { webhooks } from './webhooks.ts';
import type { Work } from './work.ts';
import type { World } from './world.ts';

export class Load {
  readonly #world: World;
  readonly deliveries: Deliveries;
  readonly works: readonly Work[];

  private constructor(world: World) {
    this.#world = world;
    const pointKeys = new Set<string>();
    const messageIds = new Set<string>();
    this.deliveries = deliveries(world);
    this.works = [
      this.deliveries,
      points(world, pointKeys),
      chat(world, messageIds),
      sends(world),
      broadcasts(world),
      webhooks(world, { pointKeys, messageIds }),
      collecting(world),
      imports(world),
      exports(world),
    ];
  }

  /** Prepares the load: contacts, visitors, LINE's people. */
  static async open(world: World): Promise<Load> {
    const load = new Load(world);
    for (const work of load.works) await work.prepare?.();
    // After a failure the load still runs.
    world.proving.ends.after(() => {
      for (const work of load.works) work.stop().catch(() => undefined);
    });
    return load;
  }

  start(): void {
    for (const work of this.works) work.start();
  }

  /** Ends the load, waits until nothing is pending, and checks every work, the recount and the audit. Throws Failure. */
  async stopAndCheck(): Promise<void> {
    await Promise.all(this.works.map((work) => work.stop()));
    await this.#world.settle();
    for (const work of this.works) await work.check();
    await this.#world.checkFigures();
  }

  /** The works with calls under way. */
  underWay(): string[] {
    return this.works.filter((work) => work.underWay() > 0).map(({ name }) => name);
  }

  /** Messages of acknowledged deliveries. */
  get acknowledged(): number {
    return this.deliveries.acknowledged();
  }

  /** Waits until as many more are acknowledged, at most two minutes. Throws the first failure of any work. */
  async goesOn(count: number): Promise<void> {
    await goesOn(this.deliveries, count);
    const { loadFailure } = this.#world;
    if (loadFailure !== null) throw loadFailure;
  }
}
