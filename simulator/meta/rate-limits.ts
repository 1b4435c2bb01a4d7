/**
 * Meta's limits of calls in a rolling hour: of the app (code 4) and of each account (Pages 80001, Instagram 80002, WhatsApp 80007).
 * Each answer reports the used share in `X-App-Usage` and `X-Business-Use-Case-Usage` (Graph API: "Rate Limits").
 */
import { hourMs, minuteMs } from '../../src/time.ts';
import type { MetaPlatform } from './people.ts';

export const limitCodes: Readonly<Record<MetaPlatform, number>> = {
  facebook: 80001,
  instagram: 80002,
  whatsapp: 80007,
};
const useCases = { facebook: 'pages', instagram: 'instagram', whatsapp: 'whatsapp' } as const;
/** The app serves several accounts, so its own limit is larger. */
const appFactor = 4;

export class MetaRateLimits {
  /** Calls of an account in an hour; null: no limit. */
  perHour: number | null;
  readonly #calls = new Map<string, number[]>();

  constructor(perHour: number | null) {
    this.perHour = perHour;
  }

  /** Counts a call at the instant (ms). Returns the code of the exceeded limit; null: it is allowed. */
  take(platform: MetaPlatform, now: number): number | null {
    if (this.perHour === null) return null;
    if (this.#used('app', now) >= this.perHour * appFactor) return 4;
    if (this.#used(platform, now) >= this.perHour) return limitCodes[platform];
    for (const name of ['app', platform]) this.#calls.set(name, [...(this.#calls.get(name) ?? []), now]);
    return null;
  }

  /** The headers of an answer about the account. */
  headers(platform: MetaPlatform, accountId: string, now: number): Record<string, string> {
    if (this.perHour === null) return {};
    const share = (name: string, limit: number) => Math.floor((this.#used(name, now) * 100) / limit);
    const usage = (call_count: number) => ({ call_count, total_cputime: 1, total_time: 1 });
    const accountShare = share(platform, this.perHour);
    const first = this.#calls.get(platform)?.[0] ?? now;
    const regainMinutes = accountShare < 100 ? 0 : Math.ceil((first + hourMs - now) / minuteMs);
    const ofAccount = {
      type: useCases[platform],
      ...usage(accountShare),
      estimated_time_to_regain_access: regainMinutes,
    };
    return {
      'x-app-usage': JSON.stringify(usage(share('app', this.perHour * appFactor))),
      'x-business-use-case-usage': JSON.stringify({ [accountId]: [ofAccount] }),
    };
  }

  /** Sets the limit and forgets all calls. */
  set(perHour: number | null): void {
    this.perHour = perHour;
    this.#calls.clear();
  }

  #used(name: string, now: number): number {
    const calls = (this.#calls.get(name) ?? []).filter((at) => at > now - hourMs);
    this.#calls.set(name, calls);
    return calls.length;
  }
}
