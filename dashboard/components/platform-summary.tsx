/** Figures of all platforms together, with their changes from the previous period. */
import type { ComponentChildren } from 'preact';
import { days } from '../format/format.ts';
import { findFigure, type Overview, type OverviewFigureName } from '../state/overview.ts';
import { t as frame } from '../texts/frame.ts';
import { t } from '../texts/overview.ts';
import { changeOf, Stat, type StatProps, Stats } from './stat.tsx';

export function PlatformSummary<Name extends OverviewFigureName>({
  overview,
  figures,
  statOf,
  children,
}: {
  overview: Overview;
  figures: readonly Name[];
  statOf(name: Name): Omit<StatProps, 'value' | 'change'>;
  /** More notes below. */
  children?: ComponentChildren;
}) {
  return (
    <section aria-label={frame('all')}>
      <Stats>
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
        {t('compared', { days: days(overview.before.from, overview.before.to) })}
        {children}
      </p>
    </section>
  );
}
