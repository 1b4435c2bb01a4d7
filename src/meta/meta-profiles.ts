/**
 * Profiles of people on Messenger and Instagram: one call for each. Sources (developers.facebook.com): "User Profile API" of the
 * Messenger Platform (2026-03-18), "User Profile API" of Instagram messaging (2026-04-01). A person who blocks the business, has
 * deleted the account or never wrote has no profile: error 100 (or 230, no consent). Meta reports neither the end of a block nor a
 * later consent, so the person is asked about again.
 */
import type { Channel } from '../bots/channels.ts';
import { Stopped } from '../collector/source.ts';
import type { JsonObject } from '../json.ts';
import { type FetchedProfile, type ProfileSource, readProfile } from '../profiles/profile.ts';
import { type GraphClient, GraphFailure } from './graph-client.ts';
import { hostOf } from './token-check.ts';

type OnCall = (kind: string, outcome: string) => void;

const fields = {
  facebook: 'first_name,last_name,profile_pic',
  instagram: 'name,username,profile_pic',
} as const;
/** No such person, or no consent. */
const goneCodes = [100, 230];

export class MetaProfiles implements ProfileSource {
  readonly platform: 'facebook' | 'instagram';
  readonly #graph: Pick<GraphClient, 'get' | 'close'>;
  readonly #onCall: OnCall;

  constructor(platform: 'facebook' | 'instagram', graph: Pick<GraphClient, 'get' | 'close'>, onCall: OnCall) {
    this.platform = platform;
    this.#graph = graph;
    this.#onCall = onCall;
  }

  async fetchProfile({ accessToken }: Channel, personId: string): Promise<FetchedProfile> {
    if (accessToken === null) return { outcome: 'paused', problem: 'The channel has no access token.' };
    try {
      const path = `/${encodeURIComponent(personId)}?fields=${fields[this.platform]}`;
      const call = { host: hostOf({ accessToken }), path, token: accessToken };
      const { value, pauseMs } = await this.#graph.get(call);
      this.#onCall('profile', 'answered');
      return { outcome: 'found', profile: readProfile(valuesOf(value)), pauseMs };
    } catch (error) {
      if (error instanceof Stopped || !(error instanceof GraphFailure)) throw error;
      this.#onCall('profile', error.failure);
      return outcomeOf(error);
    }
  }

  close(): Promise<void> {
    return this.#graph.close();
  }
}

function valuesOf({ name, first_name, last_name, username, profile_pic }: JsonObject) {
  const names = [first_name, last_name].filter((part) => typeof part === 'string' && part !== '');
  return { name: name ?? names.join(' '), accountName: username, pictureUrl: profile_pic };
}

function outcomeOf({ failure, code, message, pauseMs }: GraphFailure): FetchedProfile {
  if (code !== null && goneCodes.includes(code)) return { outcome: 'gone', isAskedAgain: true };
  if (failure === 'nonsense') return { outcome: 'failed', problem: message };
  return { outcome: 'paused', problem: message, ...(pauseMs > 0 && { retryMs: pauseMs }) };
}
