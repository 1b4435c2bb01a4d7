/**
 * `npm run screenshots` writes a screenshot of every page of the dashboard to `docs/screenshots/`: desktop, phone and dark.
 * The shop and its time are those of the tests, so the pictures are the same in each run. `npm run screenshots -- overview
 * points` writes only some.
 */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import { desktop, type PageOptions, phone } from './harness/browser.ts';
import { addChats } from './harness/dashboard-chats.ts';
import { addMantago } from './harness/dashboard-mantago.ts';
import { addMessages } from './harness/dashboard-messages.ts';
import { openDashboard, settled } from './harness/dashboard-page.ts';
import { type DashboardWorld, dashboardWorld } from './harness/dashboard-world.ts';

type Picture = {
  name: string;
  /** The path, with `{botId}` for the bot's id and `{contactId}` for a contact with points and tags. */
  path: string;
  isSignedIn?: boolean;
  /** The page needs message templates, rewards and a send; the path can contain `{sendId}`. */
  hasMessages?: boolean;
  hasMantago?: boolean;
  /** A button that leads to the rest of the page. */
  button?: string;
  /** The path contains `{visitorId}`, a visitor of a chat. */
  hasChats?: boolean;
};

const pictures: readonly Picture[] = [
  { name: 'sign-in', path: '/sign-in', isSignedIn: false },
  { name: 'overview', path: '/bots/{botId}/overview' },
  { name: 'audience', path: '/bots/{botId}/audience' },
  { name: 'messages', path: '/bots/{botId}/messages' },
  { name: 'conversations', path: '/bots/{botId}/conversations' },
  { name: 'points', path: '/bots/{botId}/points?ahead=365' },
  { name: 'contacts', path: '/bots/{botId}/contacts' },
  { name: 'contact', path: '/bots/{botId}/contacts?contact={contactId}' },
  { name: 'reconciliation', path: '/bots/{botId}/reconciliation' },
  { name: 'health', path: '/bots/{botId}/health' },
  { name: 'settings', path: '/bots/{botId}/settings?section=channels' },
  { name: 'settings-line', path: '/bots/{botId}/settings?section=channels&platform=line' },
  { name: 'sends', path: '/bots/{botId}/sends?days=90', hasMessages: true },
  { name: 'send', path: '/bots/{botId}/sends?send={sendId}', hasMessages: true },
  { name: 'templates', path: '/bots/{botId}/templates', hasMessages: true },
  { name: 'rewards', path: '/bots/{botId}/rewards', hasMessages: true },
  { name: 'settings-mantago', path: '/bots/{botId}/settings?section=mantago', hasMantago: true },
  {
    ...{ name: 'reconciliation-mantago', path: '/bots/{botId}/reconciliation', hasMantago: true },
    button: 'MantaGo',
  },
  // The last ones, because live chat would add figures to all other pages.
  { name: 'live-chat', path: '/bots/{botId}/live-chat?chat={visitorId}', hasChats: true },
];

const views: readonly { suffix: string; options: PageOptions }[] = [
  { suffix: '', options: { viewport: desktop } },
  { suffix: '-phone', options: { viewport: phone, locale: 'zh-TW' } },
  { suffix: '-dark', options: { viewport: desktop, colorScheme: 'dark' } },
];

const folder = new URL('../docs/screenshots/', import.meta.url);
const heightMax = 2_400;
const quality = 82;
const requestedNames = process.argv.slice(2);

test('screenshots of the dashboard', async (t) => {
  const world = await dashboardWorld(t);
  const contactId = await someContact(world);
  await mkdir(folder, { recursive: true });
  let visitorId: string | undefined;
  let sendId: number | undefined;
  let mantago: Promise<void> | undefined;
  for (const picture of pictures.filter(
    ({ name }) => requestedNames.length === 0 || requestedNames.includes(name),
  )) {
    if (picture.hasChats) visitorId ??= await addChats(t, world);
    if (picture.hasMantago) {
      mantago ??= addMantago(world);
      await mantago;
    }
    if (picture.hasMessages) sendId ??= await addMessages(world);
    const path = picture.path
      .replace('{contactId}', contactId)
      .replace('{visitorId}', visitorId ?? '')
      .replace('{sendId}', String(sendId));
    for (const { suffix, options } of views) await take(t, world, { ...picture, path }, { suffix, options });
  }
});

async function someContact({ read, botId }: DashboardWorld): Promise<string> {
  type Contacts = {
    contacts: {
      contactId: string;
      platformContactId: string;
      name: string | null;
      tags: unknown[];
      points: number;
    }[];
  };
  const { contacts } = await read<Contacts>(`/bots/${botId}/contacts?platform=facebook&limit=200`);
  // Ordered by id, so that it is the same contact in each run.
  const contact = contacts
    .toSorted((one, other) => (one.platformContactId < other.platformContactId ? -1 : 1))
    .find(({ name, tags, points }) => name !== null && tags.length > 1 && points > 0);
  assert.ok(contact);
  return contact.contactId;
}

async function take(
  t: TestContext,
  world: DashboardWorld,
  { name, button, ...picture }: Picture,
  { suffix, options }: (typeof views)[number],
): Promise<void> {
  const { page, context } = await openDashboard(t, world, { ...picture, ...options });
  if (button) await page.getByRole('button', { name: button, exact: true }).click();
  await settled(page);
  // The whole page as one screen, so that the navigation has its full height.
  const height = await page.evaluate<number>('document.documentElement.scrollHeight');
  const { width, height: shown } = options.viewport ?? desktop;
  await page.setViewportSize({ width, height: Math.min(Math.max(height, shown), heightMax) });
  await settled(page);
  const session = await context.newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality });
  await writeFile(new URL(`${name}${suffix}.webp`, folder), Buffer.from(data, 'base64'));
  await context.close();
}
