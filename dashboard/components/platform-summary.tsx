/** Figures of all platforms together, with their changes from the compared period. */
import type { ComponentChildren } from 'preact';
import { days, time } from '../format/format.ts';
import { useExported } from '../state/exported.ts';
import { findFigure, type Overview, type OverviewFigureName } from '../state/overview.ts';
import { t as exportTexts } from '../texts/export.ts';
import { t as frame } from '../texts/frame.ts';
import { t } from '../texts/range.ts';
import { changeOf, Stat, type StatProps, Stats } from './stat.tsx';

export function PlatformSummary<Name extends OverviewFigureName>({
  overview,
  figures,
  statOf,
  shape,
  children,
}: {
  overview: Overview;
  figures: readonly Name[];
  statOf(name: Name): Omit<StatProps, 'value' | 'change'>;
  shape?: 'row';
  /** More notes below. */
  children?: ComponentChildren;
}) {
  const shown = figures.flatMap((name) => {
    const figure = findFigure(overview, name, 'all');
    return figure ? [{ title: statOf(name).title, ...figure }] : [];
  });
  useExported({
    title: frame('all'),
    rows: () => [
      [exportTexts('figure'), exportTexts('now'), exportTexts('before'), exportTexts('change')],
      ...shown.map(({ title, now, before, change }) => [title, now, before, change]),
    ],
  });
  return (
    <section aria-label={frame('all')}>
      <Stats {...(shape ? { shape } : {})}>
        {figures.map((name) => {
          const figure = findFigure(overview, name, 'all');
          return (
            figure && (
              <Stat key={name} {...statOf(name)} value={figure.now} change={changeOf(figure, overview)} />
            )
          );
        })}
      </Stats>
      <p class="note compared">
        {overview.before && comparedWith(overview.before, overview.zone)}
        {children}
      </p>
    </section>
  );
}

function comparedWith({ from, to, until }: NonNullable<Overview['before']>, zone: string): string {
  const range = days(from, to);
  return until === null
    ? t('compared', { days: range })
    : t('comparedUntil', { days: range, time: time(until, zone) });
}
