/**
 * MantaGo's calls about tags: the behaviour that the three kinds share, and that of each kind. `call` checks every response
 * against the contract, with no additional property.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setChannel } from '../../src/bots/set-channel.ts';
import { isObject } from '../../src/json.ts';
import { dayMs } from '../../src/time.ts';
import { type Answer, type Call, errorOf, type MantagoServer, mantagoServer } from './mantago-server.ts';

const unknownClient = { status: 404, code: 37_011, message: 'Get client failed' };

/** The contract's names for the three kinds. */
const kinds = [
  { tag: 'ClientTag', list: 'clientTagList', idName: 'tagId' },
  { tag: 'PersonalTag', list: 'listPersonalTags', idName: 'tagId' },
  { tag: 'AutoTag', list: 'autoTagList', idName: 'autoTagId' },
] as const;
type Kind = (typeof kinds)[number];

async function shop(): Promise<MantagoServer> {
  const server = await mantagoServer();
  const { sql, bot, keys, now } = server;
  await setChannel(
    sql,
    { botId: bot.botId, platform: 'line', secret: 'hush' },
    { now, random: randomBytes, keys },
  );
  await sql`
    insert into contacts (bot_id, contact_id, platform, platform_contact_id, created_at, followed_at)
    select ${bot.botId}, id, platform, 'U' || id, now(), now()
    from unnest(array['Ada', 'Ben', 'Cleo', 'Dora'], array['line', 'line', 'line', 'whatsapp']) as new (id, platform)`;
  await sql`
    insert into totals (bot_id, platform, followers) values (${bot.botId}, 'line', 3)
    on conflict (bot_id, platform) do update set followers = 3`;
  return server;
}

function variables(problem: string) {
  return { status: 404, code: 110_000, message: `Get correct request variables failed: ${problem}` };
}

function unknownTag(tagId: string) {
  return { status: 404, code: 404, message: `The bot has no tag "${tagId}".` };
}

function listIn({ body }: Answer, { list }: Kind): Record<string, unknown>[] {
  const tags = body[list];
  assert.ok(Array.isArray(tags) && tags.every(isObject), JSON.stringify(body));
  return tags;
}

async function idOf(server: MantagoServer, kind: Kind, name: string): Promise<string> {
  const tags = listIn(await server.call(`list${kind.tag}s`, { query: { search: name } }), kind);
  return String(tags.find((tag) => tag.name === name)?.id);
}

async function add(server: MantagoServer, kind: Kind, name: string): Promise<string> {
  const { status, body } = await server.call(`create${kind.tag}`, { body: { name } });
  assert.equal(status, 200, JSON.stringify(body));
  return idOf(server, kind, name);
}

async function map(server: MantagoServer, kind: Kind, tagId: string, clientId: string): Promise<void> {
  const body = { [kind.idName]: tagId, clientId };
  assert.equal((await server.call(`create${kind.tag}Mapping`, { body })).status, 200);
}

async function cover(server: MantagoServer): Promise<unknown> {
  const { body } = await server.call('getClientAnalysis', { body: { platform: 'line' } });
  return Object(body.clientAnalysis).lineTagCoverRate;
}

for (const kind of kinds) {
  test(`a ${kind.tag} can be created, read, renamed and deleted at both base paths`, async () => {
    const server = await shop();
    const { tag } = kind;
    for (const base of ['/api', '']) {
      const { body } = await server.call(`create${tag}`, { base, body: { name: '  VIP 客人 ' } });
      const word = { ClientTag: 'client', PersonalTag: 'personal', AutoTag: 'auto' }[tag];
      assert.deepEqual(body, { success: true, message: `Create ${word} tag successfully` });
      const id = await idOf(server, kind, 'VIP 客人');
      const params = { [kind.idName]: id };
      const readTag = async () => (await server.call(`get${tag}`, { base, params })).body;
      const tagFields = {
        ClientTag: { clientTag: { id, name: 'VIP 客人', botId: server.bot.botId } },
        PersonalTag: { personalTag: { id, name: 'VIP 客人', count: 0 } },
        AutoTag: {
          autoTag: { id, name: 'VIP 客人', confidence: 1, lifeCycle: '30', isActive: false },
        },
      }[tag];
      assert.deepEqual(await readTag(), {
        success: true,
        message: 'Operation completed successfully',
        ...tagFields,
      });
      for (let time = 0; time < 2; time += 1) {
        const renamed = await server.call(`update${tag}`, { base, params, body: { name: 'gold' } });
        assert.equal(renamed.status, 200);
      }
      assert.equal(await idOf(server, kind, 'gold'), id);
      assert.equal((await server.call(`delete${tag}`, { base, params })).status, 200);
      assert.deepEqual(errorOf(await server.call(`get${tag}`, { base, params })), unknownTag(id));
    }
  });

  test(`a name is unique among tags of its kind: ${kind.tag}`, async () => {
    const server = await shop();
    const { tag } = kind;
    const word = { ClientTag: 'manual', PersonalTag: 'personal', AutoTag: 'automatic' }[tag];
    const conflict = { status: 403, code: 403, message: `Another ${word} tag already has that name.` };
    for (const other of kinds) await add(server, other, 'VIP');
    const gold = await add(server, kind, 'gold');
    assert.deepEqual(errorOf(await server.call(`create${tag}`, { body: { name: ' VIP ' } })), conflict);
    const params = { [kind.idName]: gold };
    assert.deepEqual(errorOf(await server.call(`update${tag}`, { params, body: { name: 'VIP' } })), conflict);
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => server.call(`create${tag}`, { body: { name: 'at once' } })),
    );
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 403, 403, 403, 403]);
    for (const name of ['', '   ', 'a\nb', 'a\0b', '客'.repeat(101)]) {
      const { status, code } = errorOf(await server.call(`create${tag}`, { body: { name } }));
      assert.deepEqual([status, code], [404, 110_000], name);
    }
    const missing = errorOf(await server.call(`create${tag}`));
    assert.deepEqual(missing, variables('name in the body is missing'));
  });

  test(`unknown tags and clients are rejected without a change: ${kind.tag}`, async () => {
    const server = await shop();
    const { tag, idName } = kind;
    const other = await server.addBot();
    const ids = ['unknown', "'; drop table tags; --"];
    for (const another of kinds.filter((one) => one !== kind)) ids.push(await add(server, another, 'VIP'));
    const { apiToken: token, apiSecret: secret, botId } = other;
    await server.call(`create${tag}`, { token, secret, botId, body: { name: 'theirs' } });
    const theirs = await server.call(`list${tag}s`, { token, secret, botId });
    ids.push(String(listIn(theirs, kind)[0]?.id));
    for (const id of ids) {
      const params = { [idName]: id };
      const mapping = { [idName]: id, clientId: 'Ada' };
      const calls: [string, Call][] = [
        [`get${tag}`, { params }],
        [`update${tag}`, { params, body: { name: 'gold' } }],
        [`delete${tag}`, { params }],
        [`create${tag}Mapping`, { body: mapping }],
        [`delete${tag}Mapping`, { body: mapping }],
      ];
      if (tag === 'AutoTag')
        calls.push(['updateAutoTagLifeCycle', { params, body: { isActive: true, lifeCycle: 1 } }]);
      for (const [operation, call] of calls)
        assert.deepEqual(errorOf(await server.call(operation, call)), unknownTag(id), operation);
    }
    const tagId = await add(server, kind, 'own');
    for (const operation of [`create${tag}Mapping`, `delete${tag}Mapping`]) {
      const errorFor = async (body: Record<string, unknown>) =>
        errorOf(await server.call(operation, { body: { [idName]: tagId, ...body } }));
      const together = 'platform and platformClientId go together';
      assert.deepEqual(await errorFor({ clientId: 'unknown' }), unknownClient);
      assert.deepEqual(await errorFor({ platform: 'facebook', platformClientId: 'UAda' }), unknownClient);
      assert.deepEqual(
        await errorFor({}),
        variables('clientId is missing; else platform and platformClientId are needed'),
      );
      assert.deepEqual(
        await errorFor({ platform: 'line' }),
        variables(`platformClientId is missing; ${together}`),
      );
      assert.deepEqual(
        await errorFor({ platformClientId: 'U' }),
        variables(`platform is missing; ${together}`),
      );
      const unnamed = errorOf(await server.call(operation, { body: { clientId: 'Ada' } }));
      assert.deepEqual(unnamed, variables(`${idName} in the body is missing`));
    }
    assert.equal(await cover(server), 0);
  });

  test(`a ${kind.tag} can be assigned and removed by either id, idempotently, and changes the cover rate`, async () => {
    const server = await shop();
    const { tag, idName } = kind;
    const id = await add(server, kind, 'VIP');
    const call = (verb: 'create' | 'delete', client: Record<string, string>) =>
      server.call(`${verb}${tag}Mapping`, { body: { [idName]: id, ...client } });
    const onPlatform = { platform: 'line', platformClientId: 'UAda' };
    for (const client of [{ clientId: 'Ada' }, onPlatform, { clientId: 'Ada', ...onPlatform }]) {
      const { status, body } = await call('create', client);
      assert.deepEqual([status, body.success], [200, true]);
      assert.match(String(body.message), /^Create (client|personal|auto) tag mapping successfully$/);
      assert.equal(await cover(server), 0.3333);
    }
    await call('create', { clientId: 'Ben' });
    assert.equal(await cover(server), 0.6667);
    for (const client of [onPlatform, { clientId: 'Ada' }]) {
      const { status, body } = await call('delete', client);
      assert.equal(status, 200);
      assert.match(String(body.message), /^Delete (client|personal|auto) tag mapping successfully$/);
      assert.equal(await cover(server), 0.3333);
    }
    await server.call(`delete${tag}`, { params: { [idName]: id } });
    assert.equal(await cover(server), 0, 'a deleted tag is assigned to no client');
  });

  test(`the list can be searched and paged: ${kind.tag}`, async () => {
    const server = await shop();
    for (let index = 0; index < 12; index += 1) {
      await add(server, kind, `Tag ${String.fromCharCode(97 + index)}`);
      server.now += 1_000;
    }
    const listed = async (query: Record<string, string>) => {
      const answer = await server.call(`list${kind.tag}s`, { query });
      assert.equal(answer.body.message, 'Operation completed successfully');
      const names = listIn(answer, kind).map(({ name }) => String(name).replace('Tag ', ''));
      return [names.join(''), answer.body.pagination];
    };
    const page = (currentPage: number, totalPages: number) => ({
      totalPages,
      currentPage,
      hasPre: currentPage > 1,
      hasNext: currentPage < totalPages,
    });
    assert.deepEqual(await listed({}), ['abcdefghij', page(1, 2)]);
    assert.deepEqual(await listed({ page: '2' }), ['kl', page(2, 2)]);
    assert.deepEqual(await listed({ page: '3' }), ['', page(3, 2)]);
    assert.deepEqual(await listed({ perpage: '5', page: '2', search: '' }), ['fghij', page(2, 3)]);
    assert.deepEqual(await listed({ search: 'AG C' }), ['c', page(1, 1)]);
    assert.deepEqual(await listed({ search: '%' }), ['', page(1, 0)]);
    const wrong = async (query: Record<string, string>) =>
      errorOf(await server.call(`list${kind.tag}s`, { query }));
    assert.deepEqual(await wrong({ page: '0' }), variables('page in the query must be from 1 to 1000000'));
    assert.deepEqual(
      await wrong({ perpage: '1001' }),
      variables('perpage in the query must be from 1 to 1000'),
    );
  });
}

const [, personal, automatic] = kinds;

test('a personal tag shows the number of its clients', async () => {
  const server = await shop();
  const id = await add(server, personal, 'VIP');
  for (const clientId of ['Ada', 'Ben']) await map(server, personal, id, clientId);
  const { body } = await server.call('getPersonalTag', { params: { tagId: id } });
  assert.deepEqual(body.personalTag, { id, name: 'VIP', count: 2 });
  assert.deepEqual(listIn(await server.call('listPersonalTags'), personal), [{ id, name: 'VIP', count: 2 }]);
});

test('automatic tags can be sorted by each documented field and filtered by platform and day', async () => {
  const server = await shop();
  const ids: Record<string, string> = {};
  for (const name of ['b', 'c', 'a']) {
    ids[name] = await add(server, automatic, name);
    server.now += dayMs;
  }
  await server.call('updateAutoTag', { params: { autoTagId: ids.b ?? '' }, body: { name: 'b2' } });
  for (const clientId of ['Ada', 'Ben']) await map(server, automatic, ids.a ?? '', clientId);
  await map(server, automatic, ids.c ?? '', 'Dora');
  const tagNames = async (query: Record<string, string>) =>
    listIn(await server.call('listAutoTags', { query }), automatic)
      .map(({ name }) => name)
      .join(' ');
  assert.equal(await tagNames({}), 'c a b2');
  assert.equal(await tagNames({ sorting: 'DESC' }), 'b2 a c');
  assert.equal(await tagNames({ sortingType: 'name' }), 'a b2 c');
  assert.equal(await tagNames({ sortingType: 'createdAt' }), 'b2 c a');
  assert.equal(await tagNames({ sortingType: 'clientCount', sorting: 'DESC' }), 'a c b2');
  assert.equal(await tagNames({ platform: 'line' }), 'a');
  assert.equal(await tagNames({ platform: 'whatsapp', isCountByPlatform: 'false' }), 'c');
  assert.equal(await tagNames({ platform: 'facebook' }), '');
  // The first tag was created at 12:00 on 03-15 in Taipei.
  assert.equal(await tagNames({ startTime: '2026-03-16' }), 'c a');
  assert.equal(await tagNames({ endTime: '2026-03-16', sortingType: 'createdAt' }), 'b2 c');
  assert.equal(await tagNames({ startTime: '2026-03-16', endTime: '2026-03-16' }), 'c');
  const wrong = async (query: Record<string, string>) =>
    errorOf(await server.call('listAutoTags', { query })).message.split(': ')[1];
  assert.equal(await wrong({ sorting: 'up' }), 'sorting in the query must be one of ASC, DESC, not "up"');
  assert.equal(
    await wrong({ startTime: '03/16' }),
    'startTime in the query must be a day written YYYY-MM-DD',
  );
});

test('a life cycle ends assignments at the exact millisecond in the cover rate, the counts and the lists', async () => {
  const server = await shop();
  const id = await add(server, automatic, 'interested');
  const live = (isActive: boolean, lifeCycle: number) =>
    server.call('updateAutoTagLifeCycle', { params: { autoTagId: id }, body: { isActive, lifeCycle } });
  const { body } = await live(true, 2);
  assert.deepEqual(body, { success: true, message: 'Update auto tag lifecycle successfully' });
  const begin = server.now;
  await map(server, automatic, id, 'Ada');
  server.now = begin + dayMs;
  await map(server, automatic, id, 'Ada');
  await map(server, automatic, id, 'Ben');
  const at = async (ms: number) => {
    server.now = begin + ms;
    return cover(server);
  };
  assert.equal(await at(2 * dayMs - 1), 0.6667);
  assert.equal(await at(2 * dayMs), 0.3333, 'an assignment repeated while active ends with the first one');
  assert.equal(await at(3 * dayMs - 1), 0.3333);

  // A longer life cycle extends active assignments; a disabled one keeps them forever.
  await live(true, 5);
  assert.equal(await at(6 * dayMs - 1), 0.3333);
  await live(false, 5);
  assert.equal(await at(20 * dayMs), 0.3333);
  const tagAnswer = await server.call('getAutoTag', { params: { autoTagId: id } });
  assert.deepEqual(tagAnswer.body.autoTag, {
    id,
    name: 'interested',
    confidence: 1,
    lifeCycle: '5',
    isActive: false,
  });
  await live(true, 5);
  assert.equal(await cover(server), 0, 'with the life cycle enabled, the assignment has long expired');
  await map(server, automatic, id, 'Ada');
  assert.equal(await cover(server), 0.3333, 'an expired assignment starts again');
  const manual = await add(server, kinds[0], 'VIP');
  await map(server, kinds[0], manual, 'Ada');
  assert.equal(await at(29 * dayMs), 0.3333, 'another tag is still assigned');

  for (const [isActive, lifeCycle, problem] of [
    [true, 0, 'lifeCycle in the body must be >= 1'],
    [true, 36_501, 'lifeCycle in the body must be at most 36500 days'],
    [true, 1.5, 'lifeCycle in the body must be a whole number, not a number'],
    ['yes', 3, 'isActive in the body must be true or false, not a string'],
  ] as const) {
    const call = { params: { autoTagId: id }, body: { isActive, lifeCycle } };
    assert.deepEqual(errorOf(await server.call('updateAutoTagLifeCycle', call)), variables(problem));
  }
});

test('all life cycles can be switched at once, and the list shows whether all are active', async () => {
  const server = await shop();
  const allActive = async () => {
    const { isAllActiveConfidence, isAllActiveLifeCycle } = (await server.call('listAutoTags')).body;
    return [isAllActiveConfidence, isAllActiveLifeCycle];
  };
  assert.deepEqual(await allActive(), [true, false], 'there is no automatic tag');
  const id = await add(server, automatic, 'a');
  await add(server, automatic, 'b');
  await map(server, automatic, id, 'Ada');
  const set = { params: { autoTagId: id }, body: { isActive: true, lifeCycle: 3 } };
  await server.call('updateAutoTagLifeCycle', set);
  assert.deepEqual(await allActive(), [true, false]);
  await server.call('updateAllAutoTagLifeCycles', { body: { isActive: true } });
  assert.deepEqual(await allActive(), [true, true]);
  server.now += 3 * dayMs;
  assert.equal(await cover(server), 0);
  await server.call('updateAllAutoTagLifeCycles', { body: { isActive: false } });
  assert.deepEqual(await allActive(), [true, false]);
  assert.equal(await cover(server), 0, 'an expired assignment stays expired');
});
