/**
 * Tags against a model that does everything the plain way: whatever is created, deleted, put on, taken off, given another life
 * cycle and joined, whatever time passes, and whenever what has ended is purged, the tag cover, the carriers of each tag and
 * the tags of each contact are those of the model, at each moment, and a recount finds nothing to put right. Whoever believes
 * the callback's webhooks knows the tags, too: each is told when it comes and when it goes, an end by itself at its end.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { lockBot } from '../../src/bots/bots.ts';
import { showContact } from '../../src/contacts/list.ts';
import type { Sql, Transaction } from '../../src/database/client.ts';
import { recount } from '../../src/rebuild/recount.ts';
import { readFigures } from '../../src/reports/totals.ts';
import { assignTags, countCarriers, moveTags, unassignTags } from '../../src/tags/assignments.ts';
import { purgeEnded } from '../../src/tags/expiry.ts';
import { createTag, deleteTag, setLifeCycle, switchLifeCycles } from '../../src/tags/tags.ts';
import { dayMs } from '../../src/time.ts';
import { testDatabase } from '../harness/database.ts';
import { holds } from '../harness/property.ts';
import { seededBytes } from '../harness/random.ts';

const start = Date.parse('2026-03-01T00:00:00Z');
const people = { ada: 'line', ben: 'line', cleo: 'whatsapp', dora: 'whatsapp', emil: 'whatsapp' } as const;
type Person = keyof typeof people;
/** Most steps are about the ones who may be joined. */
const chosen = [...Object.keys(people), 'cleo', 'dora', 'emil'] as Person[];
const names = Object.keys(people) as Person[];
const kinds = ['manual', 'personal', 'automatic', 'automatic', 'automatic'] as const;

const pairs = fc.array(fc.tuple(fc.constantFrom(...chosen), fc.nat({ max: kinds.length - 1 })), {
  minLength: 1,
  maxLength: 4,
});
const step = fc.oneof(
  { arbitrary: fc.record({ do: fc.constant('assign' as const), pairs }), weight: 6 },
  { arbitrary: fc.record({ do: fc.constant('unassign' as const), pairs }), weight: 2 },
  {
    arbitrary: fc.record({
      do: fc.constant('life' as const),
      tag: fc.nat({ max: kinds.length - 1 }),
      active: fc.boolean(),
      days: fc.integer({ min: 1, max: 3 }),
    }),
    weight: 4,
  },
  { arbitrary: fc.record({ do: fc.constant('switch' as const), active: fc.boolean() }), weight: 1 },
  {
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      // To the very end of assignments, a millisecond before, and after.
      by: fc
        .tuple(fc.nat({ max: 2 }), fc.constantFrom(-1, 0, 0, 1))
        .map(([days, more]) => Math.max(0, days * dayMs + more)),
    }),
    weight: 6,
  },
  {
    arbitrary: fc.record({ do: fc.constant('delete' as const), tag: fc.nat({ max: kinds.length - 1 }) }),
    weight: 1,
  },
  {
    arbitrary: fc.record({
      do: fc.constant('join' as const),
      pair: fc.constantFrom<[Person, Person]>(['dora', 'cleo'], ['emil', 'cleo'], ['cleo', 'emil']),
    }),
    weight: 2,
  },
  { arbitrary: fc.record({ do: fc.constant('purge' as const) }), weight: 1 },
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

type ModelTag = { tagId: string; kind: (typeof kinds)[number]; days: number; active: boolean };
type ModelAssignment = { person: Person; tag: ModelTag; createdAt: number; endsAt: number };

class Model {
  now = start;
  tags: (ModelTag | null)[] = [];
  assignments: ModelAssignment[] = [];
  readonly joined = new Map<Person, Person>();
  /** What was told: `person tagId`. */
  told = new Set<string>();

  owner(person: Person): Person {
    const into = this.joined.get(person);
    return into === undefined ? person : this.owner(into);
  }

  lasting(): ModelAssignment[] {
    return this.assignments.filter(({ endsAt }) => endsAt > this.now);
  }

  find(person: Person, tag: ModelTag): ModelAssignment | undefined {
    return this.lasting().find((one) => one.person === this.owner(person) && one.tag === tag);
  }

  assign(person: Person, tag: ModelTag): boolean {
    if (this.find(person, tag)) return false;
    const endsAt = tag.active ? this.now + tag.days * dayMs : Infinity;
    this.assignments.push({ person: this.owner(person), tag, createdAt: this.now, endsAt });
    return true;
  }

  unassign(person: Person, tag: ModelTag): boolean {
    const found = this.find(person, tag);
    this.assignments = this.assignments.filter((one) => one !== found);
    return found !== undefined;
  }

  live(tag: ModelTag, { active, days }: { active: boolean; days: number }): void {
    Object.assign(tag, { active, days });
    for (const one of this.lasting().filter((lasting) => lasting.tag === tag)) {
      one.endsAt = active ? one.createdAt + days * dayMs : Infinity;
    }
  }

  join(from: Person, to: Person): void {
    this.joined.set(from, to);
    for (const one of this.lasting().filter(({ person }) => person === from)) {
      const same = this.find(to, one.tag);
      const isBetter =
        !same || one.endsAt > same.endsAt || (one.endsAt === same.endsAt && one.createdAt < same.createdAt);
      if (isBetter) this.assignments = this.assignments.filter((other) => other !== same);
      else this.assignments = this.assignments.filter((other) => other !== one);
      one.person = to;
    }
    this.assignments = this.assignments.filter(({ person }) => person !== from);
    this.told = new Set([...this.told].map((told) => told.replace(`${from} `, `${to} `)));
  }
}

test('tags of all kinds, their ends, joins and purges: at each moment what a plain model says', async (t) => {
  const { sql } = await testDatabase(t);
  let runs = 0;
  await holds(
    t,
    fc.asyncProperty(fc.array(step, { maxLength: 20, size: 'max' }), fc.boolean(), async (steps, active) => {
      const botId = `bot ${runs++}`;
      const model = new Model();
      await addBot(sql, botId);
      for (const [index, kind] of kinds.entries()) {
        const tagId = await sql.begin((tx) =>
          createTag(tx, { botId, kind, name: `tag ${index}` }, { now: start, random: seededBytes(index) }),
        );
        model.tags.push({ tagId, kind, days: 30, active: false });
        const isLiving = active && kind === 'automatic';
        if (isLiving)
          await take(sql, botId, model, { do: 'life', tag: index, active, days: 1 + (index % 2) });
      }
      for (const one of steps) {
        await take(sql, botId, model, one);
        await compare(sql, botId, model);
        await compareTold(sql, botId, model, { purged: one.do === 'purge' });
      }
      await take(sql, botId, model, { do: 'purge' });
      await compareTold(sql, botId, model, { purged: true });
      const differences = await recount(sql, botId, { check: true, progress: () => undefined });
      assert.deepEqual(differences, []);
    }),
    { runs: 80 },
  );
});

async function addBot(sql: Sql, botId: string): Promise<void> {
  await sql`insert into bots (bot_id, name) values (${botId}, 'Bot')`;
  await sql`
    insert into callbacks (bot_id, url, secret_sealed, created_at, updated_at)
    values (${botId}, 'http://127.0.0.1/', '', now(), now())`;
  for (const platform of ['line', 'whatsapp'])
    await sql`insert into channels (bot_id, platform, secret_sealed) values (${botId}, ${platform}, '')`;
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at)
    select ${botId}, id, platform, id, now()
    from unnest(${names}::text[], ${Object.values(people)}::text[]) as new (id, platform)`;
}

async function take(sql: Sql, botId: string, model: Model, step: Step): Promise<void> {
  const { now } = model;
  const run = (work: (tx: Transaction) => Promise<unknown>) => sql.begin(work);
  const tagAt = (index: number) => model.tags[index] ?? null;
  switch (step.do) {
    case 'assign':
    case 'unassign': {
      const known = step.pairs.flatMap(([contactId, index]) => {
        const tag = tagAt(index);
        return tag ? [{ contactId, tag }] : [];
      });
      const assignments = known.map(({ contactId, tag: { tagId } }) => ({ contactId, tagId }));
      const change = step.do === 'assign' ? assignTags : unassignTags;
      const count = await run((tx) => change(tx, { botId, assignments }, { now }));
      const changed = known.filter(({ contactId, tag }) =>
        step.do === 'assign' ? model.assign(contactId, tag) : model.unassign(contactId, tag),
      );
      assert.equal(count, changed.length);
      return;
    }
    case 'life': {
      const tag = tagAt(step.tag);
      if (tag?.kind !== 'automatic') return;
      await run((tx) => setLifeCycle(tx, { botId, tagId: tag.tagId, ...step }, { now }));
      model.live(tag, step);
      return;
    }
    case 'switch':
      await run((tx) => switchLifeCycles(tx, { botId, active: step.active }, { now }));
      for (const tag of model.tags) {
        if (tag?.kind === 'automatic' && tag.active !== step.active)
          model.live(tag, { active: step.active, days: tag.days });
      }
      return;
    case 'pass':
      model.now += step.by;
      return;
    case 'delete': {
      const tag = tagAt(step.tag);
      if (!tag) return;
      await run((tx) => deleteTag(tx, { botId, kind: tag.kind, tagId: tag.tagId }, { now }));
      model.assignments = model.assignments.filter((one) => one.tag !== tag);
      model.tags[step.tag] = null;
      return;
    }
    case 'join': {
      const [from, to] = step.pair;
      if (model.joined.has(from) || model.joined.has(to)) return;
      await run(async (tx) => {
        await lockBot(tx, botId);
        await tx`
          update contacts set merged_into = ${to}
          where bot_id = ${botId} and (contact_id = ${from} or merged_into = ${from})`;
        await moveTags(tx, { botId, fromContactId: from, toContactId: to });
      });
      model.join(from, to);
      return;
    }
    case 'purge':
      await purgeEnded(sql, botId, { now });
  }
}

async function compare(sql: Sql, botId: string, model: Model): Promise<void> {
  const { now } = model;
  const lasting = model.lasting();
  const figures = await readFigures(sql, botId, now);
  for (const platform of ['line', 'whatsapp'] as const) {
    const covered = new Set(
      lasting.filter(({ person }) => people[person] === platform).map(({ person }) => person),
    );
    assert.equal(figures?.platforms[platform].taggedContacts, covered.size, platform);
  }
  const tags = model.tags.flatMap((tag) => tag ?? []);
  const carriers = await countCarriers(sql, { botId, tagIds: tags.map(({ tagId }) => tagId), now });
  for (const tag of tags) {
    const expected = lasting.filter((one) => one.tag === tag).length;
    assert.equal(carriers.get(tag.tagId) ?? 0, expected);
  }
  for (const person of names) {
    const shown = await showContact(sql, { botId, contactId: person, now });
    const expected = lasting.filter((one) => one.person === person);
    assert.deepEqual(
      shown?.tags.map(({ name, createdAt }) => `${name} ${createdAt}`).sort(),
      expected.map(({ tag, createdAt }) => `tag ${model.tags.indexOf(tag)} ${createdAt}`).sort(),
    );
  }
}

/** Takes what was told since the last look, in its order. What has ended may be told later, up to the next purge. */
async function compareTold(
  sql: Sql,
  botId: string,
  model: Model,
  { purged }: { purged: boolean },
): Promise<void> {
  const notices = await sql<{ type: string; person: Person; tag: string; kind: string; at: Date }[]>`
    with told as (delete from notices where bot_id = ${botId} returning *)
    select type, contact_id as person, data->>'tag' as tag, data->>'kind' as kind, happened_at as at
    from told order by notice_id`;
  for (const { type, person, tag, kind, at } of notices) {
    assert.equal(kind, kinds[Number(tag.split(' ')[1])]?.replace('automatic', 'auto'));
    assert.ok(at.getTime() <= model.now);
    const told = `${person} ${tag}`;
    const isNews = type === 'contact.tagged' ? !model.told.has(told) : model.told.has(told);
    assert.ok(isNews, `${type} ${told} is told twice, or late`);
    if (type === 'contact.tagged') model.told.add(told);
    else model.told.delete(told);
  }
  const lasting = model.lasting().map(({ person, tag }) => `${person} tag ${model.tags.indexOf(tag)}`);
  for (const one of lasting) assert.ok(model.told.has(one), `${one} was not told`);
  if (purged) assert.deepEqual([...model.told].sort(), lasting.sort());
}
