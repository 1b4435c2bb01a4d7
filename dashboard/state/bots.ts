/** The bots that the reader may look at. */
import { call, pathOf } from '../api/client.ts';

export type Bot = {
  botId: string;
  name: string;
  /** IANA name; decides the bot's days. */
  timeZone: string;
  conversationGapSeconds: number;
  lineProgram: string | null;
};

const perPage = 200;
/** 2,000 bots in the switcher; more are reached by their address. */
const pagesMax = 10;

/** All bots, in the order of their names. Throws ApiError. */
export async function readBots(): Promise<Bot[]> {
  const bots: Bot[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < pagesMax; page += 1) {
    const answer: { bots: Bot[]; nextCursor: string | null } = await call(
      pathOf('/bots', { limit: perPage, cursor }),
    );
    bots.push(...answer.bots);
    cursor = answer.nextCursor;
    if (cursor === null) break;
  }
  return bots.sort((one, other) => one.name.localeCompare(other.name));
}
