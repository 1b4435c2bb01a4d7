/**
 * Compares the management API with the simulators' truth: names of people, and the reconciliation of each platform by day. A row covers
 * all days and shows the last one.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Row } from '../../simulator/comparison.ts';
import { type Person, personKey, platformIdOf } from '../../simulator/events/event.ts';
import { nameOf } from '../../simulator/events/texts.ts';
import { expectedLineAudience, firstContacts, whatsappSendTimes } from '../../simulator/expected-figures.ts';
import { profileOf } from '../../simulator/line/people.ts';
import type { LineSimulator } from '../../simulator/line/simulator.ts';
import { callManagement, type ManagementAccess } from '../../simulator/management-client.ts';
import { insightsZone } from '../../simulator/meta/account.ts';
import { namesOnPage } from '../../simulator/meta/account-calls.ts';
import type { MetaSimulator } from '../../simulator/meta/simulator.ts';
import { peopleIn, type World } from '../../simulator/world.ts';
import { isObject, type JsonObject } from '../json.ts';
import { addDays, dayOf, dayStart, daysBetween, lineZone } from '../time.ts';

type Platforms = { line: LineSimulator; meta: MetaSimulator };
/** Our count of a day, the platform's, and the gap. */
type Comparison = [own: number | null, theirs: number | null, gap: number | null];
type ByDay = Map<string, Record<string, Comparison>>;

const contactsPerPage = 200;
const comparedDays = 50;

/** One row for each platform with names: the people whom the platform names now. */
export async function compareNames(
  access: ManagementAccess,
  { line, meta }: Platforms,
  world: World,
): Promise<Row[]> {
  const names = await readNames(access);
  const friends = new Set(line.control.friends());
  const expectedName = (person: Person): string | null => {
    const { platform, id } = person;
    if (platform === 'line') return friends.has(id ?? '') ? profileOf(id ?? '', '').displayName : null;
    if (platform === 'whatsapp') return nameOf(personKey(person));
    if (!meta.control.hasProfile(person)) return null;
    return platform === 'facebook' ? namesOnPage(person).join(' ') : nameOf(personKey(person));
  };
  const people = peopleIn(world.events).filter(({ platform }) => platform !== 'liveChat');
  return [...Map.groupBy(people, ({ platform }) => platform)].map(([platform, ofPlatform]) => {
    const named = ofPlatform.filter((person) => expectedName(person) !== null);
    const right = named.filter((person) => names.get(platformIdOf(person)) === expectedName(person));
    return row(`names of people on ${platform}`, right.length, named.length);
  });
}

async function readNames(access: ManagementAccess): Promise<Map<string, unknown>> {
  const names = new Map<string, unknown>();
  for (let cursor: unknown = ''; typeof cursor === 'string'; ) {
    const after = cursor && `&cursor=${encodeURIComponent(cursor)}`;
    const page = await callManagement(access, `contacts?limit=${contactsPerPage}${after}`);
    for (const { platformContactId, name } of listOf(page.contacts))
      names.set(String(platformContactId), name);
    cursor = page.nextCursor;
  }
  return names;
}

/** The reconciliation of each platform on the last days that all platforms have, from the simulators and the world. */
export function expectedReconciliations({ line, meta }: Platforms, world: World): Record<string, ByDay> {
  const last = addDays(dayOf(meta.control.now(), 'UTC'), -2);
  const range = { first: addDays(last, 1 - comparedDays), last };
  return { line: expectedOnLine(line, world, range), ...expectedOnMeta(meta, world, range) };
}

/** One row for each platform and figure: our count, the platform's and the gap, of each day. */
export async function compareReconciliations(
  access: ManagementAccess,
  expectedDays: Record<string, ByDay>,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [platform, expected] of Object.entries(expectedDays)) {
    const [first, last] = [[...expected.keys()].at(0), [...expected.keys()].at(-1)];
    const path = platform === 'line' ? 'reconciliation' : `reconciliation/${platform}`;
    const answer = await callManagement(access, `${path}?from=${first}&to=${last}`);
    rows.push(...compareDays(platform, readDays(answer), expected));
  }
  return rows;
}

type Range = { first: string; last: string };

function readDays({ days }: JsonObject): ByDay {
  return new Map(
    listOf(days).map(({ day, figures, ...rest }) => {
      const compared = Object.entries(isObject(figures) ? figures : rest).filter(([, one]) => isObject(one));
      const counts = compared.map(([name, one]) => {
        const { own, line, theirs = line, gap } = one as Record<string, number | null>;
        return [name, [own, theirs, gap]];
      });
      return [String(day), Object.fromEntries(counts)];
    }),
  );
}

function compareDays(platform: string, actual: ByDay, expected: ByDay): Row[] {
  const [lastDay, figures = {}] = [...expected].at(-1) ?? [];
  return Object.keys(figures).map((name) => {
    const isEqual = [...expected].every(([day, counts]) =>
      isDeepStrictEqual(actual.get(day)?.[name], counts[name]),
    );
    const shown = textOf(actual.get(lastDay ?? '')?.[name]);
    const title = `${platform} ${name} of ${expected.size} days, ours and theirs`;
    return { figure: title, actual: shown, expected: textOf(figures[name]), isEqual };
  });
}

function textOf([own, theirs, gap]: readonly (number | null)[] = []): string {
  return `${own ?? '–'} / ${theirs ?? '–'}, gap ${gap ?? '–'}`;
}

function expectedOnLine({ control }: LineSimulator, { events }: World, { first, last }: Range): ByDay {
  const { days, sends } = control.truth();
  const truth = new Map(days.map((one) => [one.day, one]));
  return new Map(
    daysBetween(first, last).map((day) => {
      const own = expectedLineAudience(events, day);
      const { followers = 0, blocks = 0, messagesOut = {} } = truth.get(day) ?? {};
      const gatewaySends = sends.filter(
        ({ kind, sentAt }) => kind !== 'manager' && dayOf(sentAt, lineZone) === day,
      );
      return [
        day,
        {
          followers: compared(own.followers, followers),
          blocks: compared(own.blocks, blocks),
          sends: compared(
            sum(gatewaySends.map(({ recipients }) => recipients.length)),
            sum(Object.values(messagesOut)),
          ),
        },
      ];
    }),
  );
}

function expectedOnMeta(
  { control }: MetaSimulator,
  { events }: World,
  { first, last }: Range,
): Record<'facebook' | 'instagram' | 'whatsapp', ByDay> {
  const truth = new Map(control.truth().days.map((one) => [one.day, one]));
  const contacts = {
    facebook: firstContacts(events, 'facebook'),
    instagram: firstContacts(events, 'instagram'),
  };
  const sendTimes = whatsappSendTimes(events);
  const deliveryTimes = events
    .flatMap(({ statuses = [] }) => statuses.filter(({ status }) => status === 'delivered'))
    .map(({ at }) => at);
  const byDay = (counts: (day: string) => Record<string, Comparison>): ByDay =>
    new Map(daysBetween(first, last).map((day) => [day, counts(day)]));
  const upTo = (platform: 'facebook' | 'instagram', day: string) =>
    contacts[platform].filter(({ at }) => at < dayStart(addDays(day, 1), insightsZone)).length;
  const added = (platform: 'facebook' | 'instagram', day: string) =>
    upTo(platform, day) - upTo(platform, addDays(day, -1));
  return {
    facebook: byDay((day) => {
      const page = truth.get(day)?.page;
      return {
        contacts: compared(upTo('facebook', day), page?.page_messages_total_messaging_connections),
        newContacts: compared(added('facebook', day), page?.page_messages_new_conversations_unique),
        // Meta reports no block to the shop.
        blocks: compared(0, page?.page_messages_blocked_conversations_unique),
      };
    }),
    instagram: byDay((day) => ({
      newContacts: compared(added('instagram', day), newFollowersOn(truth.get(day), day, control.now())),
    })),
    whatsapp: byDay((day) => {
      const isOnDay = (at: number) => dayOf(at, 'UTC') === day;
      const { sent, delivered } = truth.get(day)?.whatsapp ?? {};
      return {
        sends: compared(sendTimes.filter(isOnDay).length, sent),
        delivered: compared(deliveryTimes.filter(isOnDay).length, delivered),
      };
    }),
  };
}

/** Meta reports the new followers of the last 30 days only. */
function newFollowersOn(truth: { newInstagramFollowers: number } | undefined, day: string, now: number) {
  return day > addDays(dayOf(now, 'UTC'), -instagramDays) ? truth?.newInstagramFollowers : undefined;
}
const instagramDays = 30;

function compared(own: number, theirs: number | undefined): Comparison {
  return theirs === undefined ? [own, null, null] : [own, theirs, own - theirs];
}

function row(figure: string, actual: unknown, expected: unknown): Row {
  return { figure, actual, expected, isEqual: isDeepStrictEqual(actual, expected) };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
