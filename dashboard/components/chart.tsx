/**
 * A chart with the same numbers as a table and as CSV. The library that draws is a chunk of its own, loaded with the first chart
 * that is seen; table and CSV do without it.
 */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Drawing, DrawingSpec } from '../charts/draw.ts';
import { toCsv } from '../csv.ts';
import { compact, day, longDay, number, shortDay } from '../format.ts';
import { language } from '../language.ts';
import { saveText } from '../save.ts';
import { t } from '../texts/frame.ts';
import { colourOf, coloursChanged } from '../theme.ts';
import { Card } from './card.tsx';
import { DataTable } from './data-table.tsx';
import { Icon } from './icon.tsx';
import { Segments } from './segments.tsx';
import { Empty, Loading } from './states.tsx';

export type ChartLabel = {
  /** As it stands in the CSV: `2026-03-01`. */
  key: string;
  /** As it stands in the table. */
  text: string;
  /** As it stands on the axis, and above the numbers that the pointer is at; left out: the text. */
  short?: string;
  long?: string;
};

export type ChartSeries = {
  key: string;
  title: string;
  /** The name of a custom property: `platform-line`, `series-1`. */
  colour: string;
  /** One for each label; null: not known, drawn as a gap. */
  values: readonly (number | null)[];
  /** In table and CSV only: another size than the others, beside which it would not be seen. */
  isTableOnly?: boolean;
};

export type ChartProps = {
  title: string;
  note?: ComponentChildren;
  /** `doughnut` shows the first value of each series. */
  kind: 'line' | 'bars' | 'doughnut';
  /** Bars of different things: they stand beside each other instead of adding up. */
  isSideBySide?: boolean;
  labels: readonly ChartLabel[];
  /** What the labels are: the first column of the table. Default: day. */
  labelTitle?: string;
  series: readonly ChartSeries[];
  /** How values are written in the table and beside the pointer; the CSV has them as they are. */
  format?: (value: number | null) => string;
  formatAxis?: (value: number) => string;
  /** Without `.csv`. */
  fileName: string;
  isBusy?: boolean;
  /** Further controls beside the title. */
  actions?: ComponentChildren;
};

type View = 'chart' | 'table';

/** Labels of days. */
export function dayLabels(days: readonly string[]): ChartLabel[] {
  return days.map((key) => ({ key, text: day(key), short: shortDay(key), long: longDay(key) }));
}

export function Chart(props: ChartProps) {
  const { title, note, labels, labelTitle = t('day'), series, fileName, isBusy = false, actions } = props;
  const [view, setView] = useState<View>('chart');
  const table = tableOf(props, labelTitle);
  const isEmpty =
    labels.length === 0 || series.every(({ values }) => values.every((value) => value === null));
  const controls = (
    <>
      {actions}
      <Segments
        label={t('viewOf', { title })}
        value={view}
        onChange={(chosen: View) => setView(chosen)}
        choices={[
          { value: 'chart', title: t('chart') },
          { value: 'table', title: t('table') },
        ]}
      />
      <button
        type="button"
        class="button"
        aria-label={t('downloadCsv', { title })}
        onClick={() =>
          saveText(`${fileName}.csv`, 'text/csv;charset=utf-8', toCsv([table.head, ...table.rows]))
        }
      >
        <Icon name="download" />
        {t('csv')}
      </button>
    </>
  );
  return (
    <Card title={title} note={note} isBusy={isBusy} actions={isEmpty ? actions : controls}>
      {isEmpty ? (
        <Empty title={t('noValues')} />
      ) : view === 'chart' ? (
        <Figure {...props} />
      ) : (
        <NumbersTable {...props} labelTitle={labelTitle} />
      )}
    </Card>
  );
}

/** Canvas and legend. */
function Figure(props: ChartProps) {
  const { title, kind, isSideBySide = false, labels, format = number, formatAxis = compact } = props;
  const series = props.series.filter(({ isTableOnly }) => !isTableOnly);
  const canvas = useRef<HTMLCanvasElement>(null);
  const drawing = useRef<Drawing | null>(null);
  const [isReady, setReady] = useState(false);
  const [hidden, setHidden] = useState<readonly string[]>([]);
  const colours = coloursChanged.value;
  const spec = useRef<() => DrawingSpec>(() => {
    throw new Error('a chart is drawn once its page is there');
  });
  spec.current = () => ({
    kind,
    isSideBySide,
    labels: labels.map(({ text, short = text, long = text }) => ({ short, long })),
    series: series
      .filter(({ key }) => !hidden.includes(key))
      .map((one) => ({ title: one.title, colour: colourOf(one.colour), values: one.values })),
    colours: {
      text: colourOf('text-soft'),
      grid: colourOf('grid'),
      surface: colourOf('surface'),
      tip: colourOf('tip'),
      tipText: colourOf('tip-text'),
    },
    format,
    formatAxis,
  });

  useEffect(() => {
    let isGone = false;
    void import('../charts/draw.ts').then(({ draw }) => {
      if (isGone || !canvas.current) return;
      drawing.current = draw(canvas.current, spec.current());
      setReady(true);
    });
    return () => {
      isGone = true;
      drawing.current?.destroy();
      drawing.current = null;
    };
  }, []);

  // Drawn anew only when something to be seen has changed: a page that asks every few seconds must not flicker.
  const seen = JSON.stringify([kind, labels, series, hidden, colours, language.value]);
  useEffect(() => drawing.current?.update(spec.current()), [seen]);

  const toggle = (key: string): void =>
    setHidden((before) => (before.includes(key) ? before.filter((one) => one !== key) : [...before, key]));
  return (
    <figure class={`chart chart-${kind}`}>
      <div class="chart-canvas">
        <canvas ref={canvas} role="img" aria-label={t('chartOf', { title })} />
        {!isReady && <Loading shape="chart" />}
      </div>
      {series.length > 1 && (
        <ul class="legend">
          {series.map(({ key, title: name, colour, values }) => (
            <li key={key}>
              <button type="button" aria-pressed={!hidden.includes(key)} onClick={() => toggle(key)}>
                <span class="swatch" style={{ background: `var(--${colour})` }} aria-hidden="true" />
                {name}
                {kind === 'doughnut' && <span class="legend-value">{format(values[0] ?? null)}</span>}
              </button>
            </li>
          ))}
        </ul>
      )}
    </figure>
  );
}

function NumbersTable({ title, kind, labels, series, format = number, labelTitle = '' }: ChartProps) {
  if (kind === 'doughnut') {
    return (
      <DataTable
        caption={title}
        rows={series}
        keyOf={({ key }) => key}
        columns={[
          { key: 'name', title: t('name'), cell: (row) => row.title },
          ...labels.map((label, index) => ({
            key: label.key,
            title: label.text,
            isNumber: true,
            cell: (row: ChartSeries) => format(row.values[index] ?? null),
            sortBy: (row: ChartSeries) => row.values[index] ?? null,
          })),
        ]}
      />
    );
  }
  return (
    <DataTable<LabelRow>
      caption={title}
      rows={labels.map((label, index) => ({ label, index }))}
      keyOf={({ label }) => label.key}
      columns={[
        { key: 'label', title: labelTitle, cell: ({ label }) => label.text, sortBy: ({ index }) => index },
        ...series.map(({ key, title: name, values }) => ({
          key: `series ${key}`,
          title: name,
          isNumber: true,
          cell: ({ index }: LabelRow) => format(values[index] ?? null),
          sortBy: ({ index }: LabelRow) => values[index] ?? null,
        })),
      ]}
    />
  );
}

type LabelRow = { label: ChartLabel; index: number };
type Field = string | number | null;

/** Exactly the numbers of the chart, with the day as it is and a column for each series. */
function tableOf(
  { kind, labels, series }: ChartProps,
  labelTitle: string,
): { head: Field[]; rows: Field[][] } {
  if (kind === 'doughnut') {
    return {
      head: [t('name'), ...labels.map(({ text }) => text)],
      rows: series.map(({ title, values }) => [title, ...labels.map((_, index) => values[index] ?? null)]),
    };
  }
  return {
    head: [labelTitle, ...series.map(({ title }) => title)],
    rows: labels.map(({ key }, index) => [key, ...series.map(({ values }) => values[index] ?? null)]),
  };
}
