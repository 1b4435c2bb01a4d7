/**
 * A chart with the same numbers as a table and as CSV. The drawing library is a separate chunk, loaded with the first visible chart;
 * table and CSV do not need it.
 */
import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Drawing, DrawingSpec } from '../charts/draw.ts';
import { compact, day, days, longDay, number, shortDay, shortMonth } from '../format/format.ts';
import { language } from '../preferences/language.ts';
import { colourOf, coloursChanged } from '../preferences/theme.ts';
import type { Mark } from '../state/annotations.ts';
import { t as exportTexts } from '../texts/export.ts';
import { t } from '../texts/frame.ts';
import { t as range } from '../texts/range.ts';
import { BarList } from './bar-list.tsx';
import { Card } from './card.tsx';
import { CsvButton } from './csv-button.tsx';
import { DataTable } from './data-table.tsx';
import { Icon } from './icon.tsx';
import { Segments } from './segments.tsx';
import { Empty, Loading } from './states.tsx';

export type ChartLabel = {
  /** For the CSV: `2026-03-01`. */
  key: string;
  /** For the table. */
  text: string;
  /** For the axis and the tooltip's title; default: the text. */
  short?: string;
  long?: string;
};

export type ChartSeries = {
  key: string;
  title: string;
  /** The name of a custom property: `platform-line`, `series-1`. */
  colour: string;
  /** One for each label; null: not known, shown as a gap. */
  values: readonly (number | null)[];
  /** The same of the compared period. */
  before?: readonly (number | null)[] | null;
  /** An expected value: a dashed line that spans gaps. */
  isDashed?: boolean;
  /** Only in table and CSV: the values are too small to see next to the other series. */
  isTableOnly?: boolean;
};

export type ChartProps = {
  title: string;
  note?: ComponentChildren;
  /** `doughnut` shows the first value of each series; `rows` are bars one below the other, of one series. */
  kind: 'line' | 'bars' | 'doughnut' | 'rows';
  /** Bars of several series are next to each other, because their sum has no meaning. */
  isGrouped?: boolean;
  /** A line's axis starts at 0; bars always do. */
  fromZero?: boolean;
  labels: readonly ChartLabel[];
  /** The title of the table's first column. Default: day. */
  labelTitle?: string;
  series: readonly ChartSeries[];
  /** Annotations: vertical lines. Their list is a part of the page (annotations.tsx). */
  marks?: readonly Mark[];
  /** Formats values in the table and the tooltip; the CSV has raw values. */
  format?: (value: number | null) => string;
  formatAxis?: (value: number) => string;
  /** Without `.csv`. */
  fileName: string;
  isBusy?: boolean;
  /** More controls next to the title. */
  actions?: ComponentChildren;
};

type View = 'chart' | 'table';
type CanvasKind = Exclude<ChartProps['kind'], 'rows'>;

/** Labels of days. */
export function dayLabels(days: readonly string[]): ChartLabel[] {
  return days.map((key) => ({ key, text: day(key), short: shortDay(key), long: longDay(key) }));
}

/** Labels of the periods of an answer. */
export function periodLabels({ by, periods }: Periods): ChartLabel[] {
  if (by === 'day') return dayLabels(periods.map(({ first }) => first));
  return periods.map(({ name, first, last }) => {
    const text = days(first, last);
    return { key: name, text, short: by === 'week' ? shortDay(first) : shortMonth(first), long: text };
  });
}

type Periods = {
  by: 'day' | 'week' | 'month';
  periods: readonly { name: string; first: string; last: string }[];
};

/** The title of the column of labels. */
export function periodTitle({ by }: Pick<Periods, 'by'>): string {
  return range(`${by}Title`);
}

export function Chart(props: ChartProps) {
  const {
    title,
    note,
    kind,
    labels,
    labelTitle = t('day'),
    series,
    fileName,
    isBusy = false,
    actions,
  } = props;
  const [view, setView] = useState<View>('chart');
  const canvas = useRef<HTMLCanvasElement>(null);
  const savePng = async (): Promise<void> => {
    const { savePicture } = await import('../charts/picture.ts');
    const colours = { background: colourOf('surface'), text: colourOf('text') };
    if (canvas.current) savePicture(canvas.current, { title, fileName, ...colours });
  };
  const numbers = { ...props, series: [...series, ...series.flatMap(comparedSeries)] };
  const table = tableOf(numbers, labelTitle);
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
      {view === 'chart' && kind !== 'rows' && (
        <button
          type="button"
          class="button"
          aria-label={exportTexts('downloadPng', { title })}
          onClick={() => void savePng()}
        >
          <Icon name="image" />
          {exportTexts('png')}
        </button>
      )}
      <CsvButton title={title} fileName={fileName} rows={() => [table.head, ...table.rows]} />
    </>
  );
  return (
    <Card title={title} note={note} isBusy={isBusy} actions={isEmpty ? actions : controls}>
      {isEmpty ? (
        <Empty title={t('noValues')} />
      ) : view === 'chart' ? (
        <Figure {...props} canvas={canvas} />
      ) : (
        <NumbersTable {...numbers} labelTitle={labelTitle} />
      )}
    </Card>
  );
}

/** The values of the compared period, as a column of table and CSV. */
function comparedSeries({ key, title, colour, before }: ChartSeries): ChartSeries[] {
  if (!before) return [];
  return [{ key: `${key} before`, title: range('seriesBefore', { title }), colour, values: before }];
}

type Drawn = { canvas: RefObject<HTMLCanvasElement | null> };

function Figure({ kind, ...props }: ChartProps & Drawn) {
  if (kind !== 'rows') return <Canvas {...props} kind={kind} />;
  const { title, format } = props;
  return <BarList label={title} rows={barsOf(props)} {...(format ? { format } : {})} />;
}

/** Canvas and legend. */
function Canvas({
  title,
  kind,
  labels,
  series: all,
  isGrouped = false,
  fromZero = false,
  format = number,
  formatAxis = compact,
  marks = [],
  canvas,
}: ChartProps & Drawn & { kind: CanvasKind }) {
  const series = all.filter(({ isTableOnly }) => !isTableOnly);
  const drawing = useRef<Drawing | null>(null);
  const [isReady, setReady] = useState(false);
  const [hidden, setHidden] = useState<readonly string[]>([]);
  const colours = coloursChanged.value;
  const spec = useRef<() => DrawingSpec>(() => {
    throw new Error('a chart is drawn only after its page is rendered');
  });
  spec.current = () => ({
    kind,
    isGrouped,
    fromZero,
    labels: labels.map(({ text, short = text, long = text }) => ({ short, long })),
    series: series
      .filter(({ key }) => !hidden.includes(key))
      .map(({ title: name, colour, values, before = null, isDashed = false }) => ({
        ...{ title: name, colour: colourOf(colour), values, before, isDashed },
      })),
    beforeTitle: range('before'),
    marks,
    colours: {
      text: colourOf('text-soft'),
      grid: colourOf('grid'),
      surface: colourOf('surface'),
      tip: colourOf('tip'),
      tipText: colourOf('tip-text'),
      tipLine: colourOf('line-strong'),
    },
    totalTitle: t('total'),
    format,
    formatAxis,
  });

  useEffect(() => {
    let isUnmounted = false;
    void import('../charts/draw.ts').then(({ draw }) => {
      if (isUnmounted || !canvas.current) return;
      drawing.current = draw(canvas.current, spec.current());
      setReady(true);
    });
    return () => {
      isUnmounted = true;
      drawing.current?.destroy();
      drawing.current = null;
    };
  }, []);

  // Redraw only visible changes: a page that polls every few seconds must not flicker.
  const visible = JSON.stringify([kind, isGrouped, labels, series, marks, hidden, colours, language.value]);
  useEffect(() => drawing.current?.update(spec.current()), [visible]);

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
      {series.some(({ before }) => before) && <p class="note legend-before">{range('before')}</p>}
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

function barsOf({ labels, series: [only] }: Pick<ChartProps, 'labels' | 'series'>) {
  return labels.map(({ key, text }, index) => ({ key, title: text, value: only?.values[index] ?? null }));
}

type LabelRow = { label: ChartLabel; index: number };
type Field = string | number | null;

/** The chart's raw numbers, with a column for each series. */
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
