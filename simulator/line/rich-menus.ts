/**
 * Rich menus and LINE's figures of them (Messaging API reference, "Rich menu"; "Get rich menu insight summary"; "… daily"). The figures
 * of a menu and a day depend on the two alone: simulated people do not tap areas.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isObject, type JsonObject } from '../../src/json.ts';
import { addDays, dayOf, daysBetween, lineZone } from '../../src/time.ts';
import { stableNumber } from '../events/ids.ts';
import type { Settings } from './control.ts';
import { invalidProperty, LineError, notFound } from './line-error.ts';
import { readinessOf } from './report.ts';
import { bodyOf, queryText, toDay } from './request-fields.ts';
import type { Simulation } from './simulation.ts';

type RichMenu = JsonObject & { richMenuId: string; areas: JsonObject[] };
type ForMenu = { Params: { richMenuId: string } };

/** The days from "from" to "to". */
const daysMax = { daily: 99, summary: 396 };
const clicksDayMax = 60;
const peopleMin = 20;

/** Adds the calls. */
export function addRichMenuCalls(
  app: FastifyInstance,
  { simulation, settings }: { simulation: Simulation; settings: Readonly<Settings> },
): void {
  const menus = new Map<string, RichMenu & { createdOn: string }>();
  const menuOf = (richMenuId: string) => {
    const menu = menus.get(richMenuId);
    if (menu === undefined) throw notFound();
    return menu;
  };
  const shown = ({ createdOn: _, ...menu }: RichMenu & { createdOn: string }) => menu;

  app.post('/v2/bot/richmenu', async (request) => {
    const { areas, ...menu } = bodyOf(request);
    if (!Array.isArray(areas) || !areas.every(isObject)) throw invalidProperty('areas');
    const richMenuId = `richmenu-${request.id.replaceAll('-', '')}`;
    menus.set(richMenuId, { ...menu, areas, richMenuId, createdOn: dayOf(simulation.now(), lineZone) });
    return { richMenuId };
  });
  app.get('/v2/bot/richmenu/list', async () => ({ richmenus: [...menus.values()].map(shown) }));
  app.get<ForMenu>('/v2/bot/richmenu/:richMenuId', async ({ params }) => shown(menuOf(params.richMenuId)));
  app.delete<ForMenu>('/v2/bot/richmenu/:richMenuId', async ({ params }) => {
    menus.delete(menuOf(params.richMenuId).richMenuId);
    return {};
  });

  /** The menu, and the days of the call that are ready and not before the menu. */
  const read = (request: FastifyRequest<ForMenu>, spanMax: number) => {
    const { from, to } = rangeOf(request, spanMax);
    const menu = menuOf(request.params.richMenuId);
    const isReady = (day: string) =>
      readinessOf(simulation.account, day, { since: menu.createdOn, now: simulation.now(), ...settings }) ===
      'ready';
    const { richMenuId, areas } = menu;
    const days = daysBetween(from, to).filter(isReady);
    const clickers = days.flatMap((day) => areas.map((_, index) => clicksOn(richMenuId, day, index)));
    return { richMenuId, areas, days, isHidden: Math.max(0, ...clickers) < peopleMin };
  };
  /** A figure of the menu and of its areas, in the form of a call. */
  const answer = (
    request: FastifyRequest<ForMenu>,
    spanMax: number,
    metrics: (days: readonly string[], countOf: (day: string) => number) => unknown,
  ) => {
    const { richMenuId, areas, days, isHidden } = read(request, spanMax);
    if (isHidden) return { richMenuId };
    return {
      ...headOf(richMenuId, days),
      impression: { metrics: metrics(days, (day) => impressionsOn(richMenuId, day, areas)) },
      clicks: areas.map(({ bounds }, index) => ({
        bounds,
        metrics: metrics(days, (day) => clicksOn(richMenuId, day, index)),
      })),
    };
  };
  app.get<ForMenu>('/v2/bot/insight/richmenu/:richMenuId/summary', async (request) =>
    answer(request, daysMax.summary, (days, countOf) => {
      const counts = days.map(countOf);
      return { count: counts.reduce((sum, count) => sum + count, 0), uniqueUsers: Math.max(...counts) };
    }),
  );
  app.get<ForMenu>('/v2/bot/insight/richmenu/:richMenuId/daily', async (request) =>
    answer(request, daysMax.daily, (days, countOf) =>
      days.map((day) => ({ date: lineDate(day), count: countOf(day), uniqueUsers: countOf(day) })),
    ),
  );
}

function rangeOf(request: FastifyRequest, spanMax: number): { from: string; to: string } {
  const [from, to] = [toDay(queryText(request, 'from')), toDay(queryText(request, 'to'))];
  if (from === null || to === null) throw new LineError(400, 'Bad Request');
  if (to < from) throw new LineError(400, 'Parameter to must be the same date as, or after parameter from.');
  if (to > addDays(from, spanMax))
    throw new LineError(400, `Date range exceeds. Max range is ${spanMax} days.`);
  return { from, to };
}

function headOf(richMenuId: string, days: readonly string[]) {
  return { richMenuId, metricsFrom: lineDate(days[0] ?? ''), metricsTo: lineDate(days.at(-1) ?? '') };
}

function clicksOn(richMenuId: string, day: string, area: number): number {
  return stableNumber(`click ${richMenuId} ${day} ${area}`, clicksDayMax);
}

function impressionsOn(richMenuId: string, day: string, areas: readonly unknown[]): number {
  return areas.reduce<number>((sum, _, index) => sum + clicksOn(richMenuId, day, index), 0) * 2;
}

function lineDate(day: string): string {
  return day.replaceAll('-', '');
}
