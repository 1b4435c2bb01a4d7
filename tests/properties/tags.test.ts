/**
 * Tags against a plain model. The steps create, delete, assign and remove tags, change life cycles, merge contacts, let time pass
 * and purge expired assignments. After each step the tag cover, the contacts of each tag and the tags of each contact equal those
 * of the model, and a recount finds no difference. The webhook messages alone also give the same tags: one message for each
 * beginning and end, with the time of expiry for an expired tag.
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
import { purgeExpired } from '../../src/tags/expiry.ts';
import { createTag, deleteTag, setLifeCycle, switchLifeCycles } from '../../src/tags/tags.ts';
import { dayMs } from '../../src/time.ts';
import { testDatabase } from '../harness/database.ts';
import { holds } from '../harness/property.ts';
import { seededBytes } from '../harness/random.ts';

const start = Date.parse('2026-03-01T00:00:00Z');
const people = { ada: 'line', ben: 'line', cleo: 'whatsapp', dora: 'whatsapp', emil: 'whatsapp' } as const;
type Person = keyof typeof people;
/** Most steps use the contacts that may be merged. */
const weightedNames = [...Object.keys(people), 'cleo', 'dora', 'emil'] as Person[];
const names = Object.keys(people) as Person[];
const kinds = ['manual', 'personal', 'automatic', 'automatic', 'automatic'] as const;

const pairs = fc.array(fc.tuple(fc.constantFrom(...weightedNames), fc.nat({ max: kinds.length - 1 })), {
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
      // To the exact expiry of assignments, a millisecond before it, and after it.
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
      do: fc.constant('merge' as const),
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
  readonly survivors = new Map<Person, Person>();
  /** The tags according to the webhook messages: `person tag`. */
  reportedTags = new Set<string>();

  owner(person: Person): Person {
    const into = this.survivors.get(person);
    return into === undefined ? person : this.owner(into);
  }

  activeAssignments(): ModelAssignment[] {
    return this.assignments.filter(({ endsAt }) => endsAt > this.now);
  }

  find(person: Person, tag: ModelTag): ModelAssignment | undefined {
    return this.activeAssignments().find((one) => one.person === this.owner(person) && one.tag === tag);
  }

  assign(person: Person, tag: ModelTag): boolean {
    if (this.find(person, tag)) return false;
    const endsAt = tag.active ? this.now + tag.days * dayMs : Infinity;
    this.assignments.push({ person: this.owner(person), tag, createdAt: this.now, endsAt });
    return true;
  }

  unassign(person: Person, tag: ModelTag): boolean {
    const assignment = this.find(person, tag);
    this.assignments = this.assignments.filter((one) => one !== assignment);
    return assignment !== undefined;
  }

  setLifeCycle(tag: ModelTag, { active, days }: { active: boolean; days: number }): void {
    Object.assign(tag, { active, days });
    for (const one of this.activeAssignments().filter((active) => active.tag === tag)) {
      one.endsAt = active ? one.createdAt + days * dayMs : Infinity;
    }
  }

  merge(from: Person, to: Person): void {
    this.survivors.set(from, to);
    for (const one of this.activeAssignments().filter(({ person }) => person === from)) {
      const same = this.find(to, one.tag);
      const isBetter =
        !same || one.endsAt > same.endsAt || (one.endsAt === same.endsAt && one.createdAt < same.createdAt);
      if (isBetter) this.assignments = this.assignments.filter((other) => other !== same);
      else this.assignments = this.assignments.filter((other) => other !== one);
      one.person = to;
    }
    this.assignments = this.assignments.filter(({ person }) => person !== from);
    this.reportedTags = new Set([...this.reportedTags].map((text) => text.replace(`${from} `, `${to} `)));
  }
}

test('tags equal a plain model at each moment, through life cycles, merges and purges', async (t) => {
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
        if (active && kind === 'automatic')
          await execute(sql, botId, model, { do: 'life', tag: index, active, days: 1 + (index % 2) });
      }
      for (const one of steps) {
        await execute(sql, botId, model, one);
        await compare(sql, botId, model);
        await compareMessages(sql, botId, model, { isPurged: one.do === 'purge' });
      }
      await execute(sql, botId, model, { do: 'purge' });
      await compareMessages(sql, botId, model, { isPurged: true });
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

async function execute(sql: Sql, botId: string, model: Model, step: Step): Promise<void> {
  const { now } = model;
  const run = (work: (tx: Transaction) => Promise<unknown>) => sql.begin(work);
  const tagAt = (index: number) => model.tags[index] ?? null;
  switch (step.do) {
    case 'assign':
    case 'unassign': {
      const existing = step.pairs.flatMap(([contactId, index]) => {
        const tag = tagAt(index);
        return tag ? [{ contactId, tag }] : [];
      });
      const assignments = existing.map(({ contactId, tag: { tagId } }) => ({ contactId, tagId }));
      const change = step.do === 'assign' ? assignTags : unassignTags;
      const count = await run((tx) => change(tx, { botId, assignments }, { now }));
      const changes = existing.filter(({ contactId, tag }) =>
        step.do === 'assign' ? model.assign(contactId, tag) : model.unassign(contactId, tag),
      );
      assert.equal(count, changes.length);
      return;
    }
    case 'life': {
      const tag = tagAt(step.tag);
      if (tag?.kind !== 'automatic') return;
      await run((tx) => setLifeCycle(tx, { botId, tagId: tag.tagId, ...step }, { now }));
      model.setLifeCycle(tag, step);
      return;
    }
    case 'switch':
      await run((tx) => switchLifeCycles(tx, { botId, active: step.active }, { now }));
      for (const tag of model.tags) {
        if (tag?.kind === 'automatic' && tag.active !== step.active)
          model.setLifeCycle(tag, { active: step.active, days: tag.days });
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
    case 'merge': {
      const [from, to] = step.pair;
      if (model.survivors.has(from) || model.survivors.has(to)) return;
      await run(async (tx) => {
        await lockBot(tx, botId);
        await tx`
          update contacts set merged_into = ${to}
          where bot_id = ${botId} and (contact_id = ${from} or merged_into = ${from})`;
        await moveTags(tx, { botId, fromContactId: from, toContactId: to });
      });
      model.merge(from, to);
      return;
    }
    case 'purge':
      await purgeExpired(sql, botId, { now });
  }
}

async function compare(sql: Sql, botId: string, model: Model): Promise<void> {
  const { now } = model;
  const active = model.activeAssignments();
  const figures = await readFigures(sql, botId, now);
  for (const platform of ['line', 'whatsapp'] as const) {
    const covered = new Set(
      active.filter(({ person }) => people[person] === platform).map(({ person }) => person),
    );
    assert.equal(figures?.platforms[platform].taggedContacts, covered.size, platform);
  }
  const tags = model.tags.flatMap((tag) => tag ?? []);
  const carriers = await countCarriers(sql, { botId, tagIds: tags.map(({ tagId }) => tagId), now });
  for (const tag of tags) {
    const expected = active.filter((one) => one.tag === tag).length;
    assert.equal(carriers.get(tag.tagId) ?? 0, expected);
  }
  for (const person of names) {
    const contact = await showContact(sql, { botId, contactId: person, now });
    const expected = active.filter((one) => one.person === person);
    assert.deepEqual(
      contact?.tags.map(({ name, createdAt }) => `${name} ${createdAt}`).sort(),
      expected.map(({ tag, createdAt }) => `tag ${model.tags.indexOf(tag)} ${createdAt}`).sort(),
    );
  }
}

/** Reads the webhook messages since the last call, in their order. An expiry may be reported later, up to the next purge. */
async function compareMessages(
  sql: Sql,
  botId: string,
  model: Model,
  { isPurged }: { isPurged: boolean },
): Promise<void> {
  const messages = await sql<{ type: string; person: Person; tag: string; kind: string; at: Date }[]>`
    with messages as (delete from notices where bot_id = ${botId} returning *)
    select type, contact_id as person, data->>'tag' as tag, data->>'kind' as kind, happened_at as at
    from messages order by notice_id`;
  for (const { type, person, tag, kind, at } of messages) {
    assert.equal(kind, kinds[Number(tag.split(' ')[1])]?.replace('automatic', 'auto'));
    assert.ok(at.getTime() <= model.now);
    const text = `${person} ${tag}`;
    const isNews = (type === 'contact.tagged') !== model.reportedTags.has(text);
    assert.ok(isNews, `${type} ${text} was reported twice, or late`);
    if (type === 'contact.tagged') model.reportedTags.add(text);
    else model.reportedTags.delete(text);
  }
  const active = model
    .activeAssignments()
    .map(({ person, tag }) => `${person} tag ${model.tags.indexOf(tag)}`);
  for (const one of active) assert.ok(model.reportedTags.has(one), `${one} was not reported`);
  if (isPurged) assert.deepEqual([...model.reportedTags].sort(), active.sort());
}
