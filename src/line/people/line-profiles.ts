/**
 * LINE's profiles of people: `GET /v2/bot/profile/{userId}`.
 *
 * Source: LINE Messaging API reference, "Get profile": 404 for a person who has blocked the account, never consented to it, or deleted
 * the LINE account; 400 for an id of another form.
 */
import type { Channel } from '../../bots/channels.ts';
import { isObject, parseJson } from '../../json.ts';
import { type FetchedProfile, type ProfileSource, readProfile } from '../../profiles/profile.ts';
import type { LineAccess } from '../access.ts';
import type { LineClient } from '../line-client.ts';

/** Called after each call, with the outcome of the answer. */
type OnCall = (endpoint: string, outcome: string) => void;

export class LineProfiles implements ProfileSource {
  readonly platform = 'line';
  readonly #line: LineClient;
  readonly #access: LineAccess;
  readonly #onCall: OnCall;

  constructor(line: LineClient, access: LineAccess, onCall: OnCall) {
    this.#line = line;
    this.#access = access;
    this.#onCall = onCall;
  }

  async fetchProfile(channel: Channel, userId: string): Promise<FetchedProfile> {
    const reply = await this.#access.call(channel, async (token) => {
      const answer = await this.#line.get(`/v2/bot/profile/${encodeURIComponent(userId)}`, token);
      this.#onCall('profile', answer.outcome);
      return answer;
    });
    if ('failure' in reply) return { outcome: 'paused', problem: reply.problem };
    switch (reply.outcome) {
      case 'answered':
        return readAnswer(reply.text, userId);
      case 'unknown':
        return { outcome: 'gone' };
      case 'nonsense':
        return { outcome: 'failed', problem: reply.problem };
      default:
        return { outcome: 'paused', problem: reply.problem };
    }
  }

  close(): Promise<void> {
    return this.#line.close();
  }
}

function readAnswer(text: string, userId: string): FetchedProfile {
  const answer = parseJson(text);
  if (!isObject(answer) || answer.userId !== userId) {
    return { outcome: 'failed', problem: "LINE's answer is not the profile of the person." };
  }
  const { displayName: name, pictureUrl, language, statusMessage } = answer;
  return { outcome: 'found', profile: readProfile({ name, pictureUrl, language, statusMessage }) };
}
