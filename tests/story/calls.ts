/** MantaGo API calls for the chapters, and polling for an expected value. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';

export type Pair = { botId: string; apiToken: string; apiSecret: string };
export type Answer = Record<string, unknown>;

const patienceMsMax = 15_000;

/** Posts a call with the bot's API pair and returns the status and the body. */
export async function call(
  url: string,
  pair: Pair,
  fields: Answer = {},
): Promise<{ status: number; body: Answer }> {
  const answer = await fetch(`${url}?botId=${pair.botId}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${pair.apiToken}` },
    body: JSON.stringify({ secret: pair.apiSecret, ...fields }),
  });
  const body: Answer = JSON.parse(await answer.text());
  return { status: answer.status, body };
}

/** Polls until the value equals the expected one; fails with the last value after a time limit. */
export async function becomes(ask: () => Promise<unknown>, expected: unknown): Promise<void> {
  const endsAt = performance.now() + patienceMsMax;
  for (;;) {
    const answer = await ask();
    try {
      assert.deepEqual(answer, expected);
      return;
    } catch (difference) {
      if (performance.now() > endsAt) throw difference;
    }
    await pause(50);
  }
}

/** The output of `shoal bot create --json`. */
export function pairOf({ botId, apiToken, apiSecret }: Record<string, unknown>): Pair {
  return { botId: String(botId), apiToken: String(apiToken), apiSecret: String(apiSecret) };
}
