/** The calls of the chapters: what a program that speaks MantaGo's API does, and a moment of patience. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';

export type Pair = { botId: string; apiToken: string; apiSecret: string };
export type Answer = Record<string, unknown>;

const patienceMsMax = 15_000;

/** Posts a call with the bot's pair and gives the answer's status and body. */
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

/** Asks again until the answer's part is as expected; fails with the last answer when it does not become so. */
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

/** What `shoal bot create --json` prints. */
export function pairOf({ botId, apiToken, apiSecret }: Record<string, unknown>): Pair {
  return { botId: String(botId), apiToken: String(apiToken), apiSecret: String(apiSecret) };
}
