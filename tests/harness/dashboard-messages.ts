/** Message templates, a send with its results, and rewards, for pictures of the dashboard. */

import { anyContact } from '../../src/contacts/filter.ts';
import type { PlatformName } from '../../src/platforms/platform.ts';
import { createGift, type NewGift } from '../../src/rewards/gifts.ts';
import { grantGift, redeemGift } from '../../src/rewards/grants.ts';
import { planStep } from '../../src/sends/plan.ts';
import { createSend } from '../../src/sends/sends.ts';
import { createTemplate } from '../../src/sends/templates.ts';
import { dayMs, hourMs } from '../../src/time.ts';
import { type DashboardWorld, worldNow } from './dashboard-world.ts';
import { seededBytes } from './random.ts';

const random = seededBytes(77);
const now = worldNow;

/** Returns the id of the send. */
export async function addMessages(world: DashboardWorld): Promise<number> {
  await addTemplates(world);
  await addRewards(world);
  return addSend(world);
}

async function addTemplates({ sql, botId }: DashboardWorld): Promise<void> {
  const whatsAppTemplate = { name: 'order_ready', language: 'zh_TW', parameters: ['{{name|您}}'] };
  const templates = [
    {
      name: '到貨通知',
      text: '{{name|您}}好，您訂購的商品已到貨，請於 7 日內取貨。',
      quickReplies: ['營業時間', '門市位置'],
      whatsAppTemplate,
      platforms: { line: { text: '{{name|您}}好，您的商品到貨囉！' } },
    },
    {
      name: '營業時間',
      text: '我們每天 10:00–20:00 營業，週三公休。',
      quickReplies: [],
      whatsAppTemplate: null,
      platforms: {},
    },
    {
      name: 'Spring sale',
      text: 'Hi {{name|there}}, everything blue is 20 % off until Sunday.',
      quickReplies: ['Show me', 'Not now'],
      whatsAppTemplate: null,
      platforms: {},
    },
  ];
  for (const { name, ...content } of templates)
    await createTemplate(sql, { botId, name, content }, { now: now - 3 * dayMs, random });
}

async function addRewards({ sql, botId }: DashboardWorld): Promise<void> {
  const gifts: NewGift[] = [
    {
      ...{ name: '咖啡兌換券', kind: 'ticket', resource: 'rewardsCard', isDefault: true, stock: 100 },
      expiresAt: new Date(now + 280 * dayMs),
    },
    {
      ...{ name: '帆布袋', kind: 'physical', resource: 'lotteryGame', isDefault: false, stock: 8 },
      expiresAt: null,
    },
    {
      ...{ name: 'Sticker set', kind: 'virtual', resource: 'shoal', isDefault: false, stock: null },
      expiresAt: null,
    },
    {
      ...{ name: 'Winter voucher', kind: 'ticket', resource: 'shoal', isDefault: false, stock: 40 },
      expiresAt: new Date(now - 19 * dayMs),
    },
  ];
  const people = await sql<{ contactId: string }[]>`
    select contacts.contact_id as "contactId" from contacts
    join contact_profiles profile on profile.bot_id = ${botId} and profile.contact_id = contacts.contact_id
    where contacts.bot_id = ${botId} and merged_into is null and profile.name is not null
    order by platform_contact_id limit 12`;
  for (const [index, gift] of gifts.entries()) {
    const at = now - (30 - index) * dayMs;
    await sql.begin(async (tx) => {
      const { giftId } = await createGift(tx, { botId, ...gift }, { now: at, random });
      for (const [place, { contactId }] of people.slice(index, 9 - 2 * index).entries()) {
        const change = {
          botId,
          contactId,
          key: `${giftId} ${place}`,
          by: place % 3 === 0 ? 'import' : 'Mei',
        };
        const grantedAt = at + place * 7 * hourMs;
        const { grant } = await grantGift(tx, { ...change, giftId }, { now: grantedAt });
        if (place % 2 === 0) continue;
        await redeemGift(tx, { ...change, grantId: grant.grantId }, { now: grantedAt + dayMs });
      }
    });
  }
}

async function addSend({ sql, botId }: DashboardWorld): Promise<number> {
  const platform: PlatformName = 'facebook';
  const filter = { ...anyContact, platform };
  const message = {
    text: 'Hi {{name|there}}, everything blue is 20 % off until Sunday.',
    quickReplies: ['Show me', 'Not now'],
    whatsAppTemplate: null,
    tag: 'ACCOUNT_UPDATE',
  };
  // Later than the server's clock, so that it sends nothing.
  const startsAt = now + dayMs;
  const { send } = await createSend(
    sql,
    {
      ...{ botId, name: 'Spring sale', platform, message, to: { filter }, zone: 'Asia/Taipei', startsAt },
      ...{ quietHours: { from: 22 * 60, until: 8 * 60 }, key: null, createdBy: 'Mei' },
    },
    { now },
  );
  const { sendId } = send;
  while (!(await planStep(sql, { botId, sendId }, { now })));
  const sentAt = new Date(now - 5 * hourMs);
  await sql`
    update send_recipients set settled_at = ${sentAt}::timestamptz + interval '1 second' * position,
      state = case when position % 17 = 3 then 'refused' when position % 40 = 9 then 'unknown' else 'accepted' end,
      code = case when position % 34 = 3 then '551-1545041' when position % 17 = 3 then '10-2018278' end
    where bot_id = ${botId} and send_id = ${sendId}`;
  await sql`
    update send_recipients set delivered_at = settled_at + interval '2 seconds',
      read_at = case when position % 3 > 0 then settled_at + interval '11 minutes' end
    where bot_id = ${botId} and send_id = ${sendId} and state = 'accepted'`;
  await sql`
    update sends set state = 'done', planned = true, starts_at = ${sentAt}, ended_at = ${new Date(now - 4 * hourMs)},
      claimed = recipients, settled = recipients, accepted = counted.accepted, refused = counted.refused, unknown = counted.unknown,
      delivered = counted.delivered, read = counted.read
    from (
      select count(*) filter (where state = 'accepted') as accepted, count(*) filter (where state = 'refused') as refused,
        count(*) filter (where state = 'unknown') as unknown, count(delivered_at) as delivered, count(read_at) as read
      from send_recipients where bot_id = ${botId} and send_id = ${sendId}
    ) counted
    where bot_id = ${botId} and send_id = ${sendId}`;
  return sendId;
}
