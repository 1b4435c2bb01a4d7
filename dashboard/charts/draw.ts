/**
 * Draws numbers on a canvas with Chart.js. No other file imports it, so the library is a separate chunk with only the used parts.
 */
import {
  ArcElement,
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  type ChartConfiguration,
  DoughnutController,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  type Plugin,
  PointElement,
  Tooltip,
} from 'chart.js';
import { stackBefore, totalAt } from './total.ts';

export type DrawingSpec = {
  kind: 'line' | 'bars' | 'doughnut';
  labels: readonly { short: string; long: string }[];
  series: readonly {
    title: string;
    colour: string;
    values: readonly (number | null)[];
    /** Of the compared period; null: nothing is compared. */
    before: readonly (number | null)[] | null;
    isDashed: boolean;
  }[];
  /** Vertical lines at labels, with the texts of the tooltip. */
  marks: readonly { index: number; title: string }[];
  /** The name of the compared period. */
  beforeTitle: string;
  /** Bars are next to each other instead of stacked. */
  isGrouped: boolean;
  /** A line's axis starts at 0. */
  fromZero: boolean;
  /** The name of the sum of stacked bars. */
  totalTitle: string;
  colours: { text: string; grid: string; surface: string; tip: string; tipText: string; tipLine: string };
  format: (value: number | null) => string;
  formatAxis: (value: number) => string;
};

export type Drawing = { update(spec: DrawingSpec): void; destroy(): void };

Chart.register(
  ArcElement,
  BarController,
  BarElement,
  CategoryScale,
  DoughnutController,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  Tooltip,
);

const labelWidth = 64;
const markedMax = 45;

/** Draws a chart; `update` redraws it without animation. */
export function draw(canvas: HTMLCanvasElement, spec: DrawingSpec): Drawing {
  let current = spec;
  const chart = new Chart(canvas, { ...configOf(spec), plugins: [markLines(() => current)] });
  return {
    update(changed) {
      current = changed;
      const { data, options } = configOf(changed);
      chart.data = data;
      if (options) chart.options = options;
      chart.update('none');
    },
    destroy: () => chart.destroy(),
  };
}

function configOf(spec: DrawingSpec): ChartConfiguration {
  return spec.kind === 'doughnut' ? doughnut(spec) : overTime(spec);
}

function overTime(spec: DrawingSpec): ChartConfiguration {
  const { kind, labels, series, colours, format, formatAxis } = spec;
  const isLine = kind === 'line';
  const stack = isLine || spec.isGrouped ? {} : { stacked: true };
  return {
    type: isLine ? 'line' : 'bar',
    data: {
      labels: labels.map(({ short }) => short),
      datasets: [
        ...series.map(({ title, colour, values, isDashed }) => ({
          label: title,
          data: [...values],
          ...(isLine
            ? {
                borderColor: colour,
                backgroundColor: colour,
                borderWidth: 2,
                ...(isDashed ? { borderDash: [5, 4], spanGaps: true } : {}),
                pointRadius: values.map((_, index) => (!isDashed && isAlone(values, index) ? 4 : 0)),
                pointHoverRadius: 4,
                pointHitRadius: 12,
              }
            : {
                backgroundColor: colour,
                borderColor: colours.surface,
                borderWidth: labels.length > markedMax ? 0 : { top: 1 },
                maxBarThickness: 40,
                categoryPercentage: labels.length > markedMax ? 1 : 0.8,
                barPercentage: 0.9,
              }),
        })),
        ...comparedLines(spec),
      ],
    },
    options: {
      ...common(colours),
      interaction: { mode: 'index', intersect: false },
      scales: {
        x: {
          ...stack,
          grid: { display: false },
          border: { color: colours.grid },
          ticks: {
            color: colours.text,
            maxRotation: 0,
            autoSkip: true,
            autoSkipPadding: 24,
            maxTicksLimit: Math.max(2, Math.round(1_200 / labelWidth)),
          },
        },
        y: {
          ...stack,
          // A level that hardly changes is readable only near its values; sums start at 0.
          beginAtZero: !isLine || spec.fromZero,
          border: { display: false },
          grid: { color: colours.grid },
          ticks: {
            color: colours.text,
            maxTicksLimit: 6,
            precision: 0,
            callback: (value) => formatAxis(Number(value)),
          },
        },
      },
      plugins: {
        tooltip: {
          ...tip(colours),
          filter: ({ raw, datasetIndex }) => raw !== null || series[datasetIndex]?.isDashed === false,
          callbacks: {
            title: ([item]) => (item ? (labels[item.dataIndex]?.long ?? '') : ''),
            label: (item) => ` ${item.dataset.label ?? ''}  ${format(numberOf(item.raw))}`,
            footer: ([item]) => (item ? footerAt(spec, item.dataIndex) : ''),
          },
        },
      },
    },
  };
}

/** The compared period: a dotted line for each line or group of bars, and one for the sum of stacked bars. */
function comparedLines(spec: DrawingSpec): ChartConfiguration<'line'>['data']['datasets'] {
  const sum = stackBefore(spec);
  const lines = sum
    ? [{ title: spec.beforeTitle, colour: spec.colours.text, values: sum }]
    : spec.series.flatMap(({ title, colour, before }) =>
        before
          ? [
              {
                title: spec.series.length > 1 ? `${title}, ${spec.beforeTitle}` : spec.beforeTitle,
                colour,
                values: before,
              },
            ]
          : [],
      );
  return lines.map(({ title, colour, values }) => ({
    ...{ type: 'line', label: title, data: [...values], stack: title, order: -1 },
    ...{ borderColor: colour, backgroundColor: colour, borderWidth: 1.5, borderDash: [2, 3] },
    pointRadius: values.map((_, index) => (isAlone(values, index) ? 3 : 0)),
    ...{ pointHoverRadius: 3, pointHitRadius: 8 },
  }));
}

/** The total of the stack, and the annotations of the label. */
function footerAt(spec: DrawingSpec, index: number): string[] {
  const marks = spec.marks.filter((mark) => mark.index === index).map(({ title }) => title);
  return [totalAt(spec, index) ?? [], marks].flat();
}

/** Draws the annotations as dashed lines with a triangle at the top. */
function markLines(specOf: () => DrawingSpec): Plugin {
  return {
    id: 'marks',
    afterDatasetsDraw({ ctx, chartArea, scales: { x } }) {
      const { marks, colours } = specOf();
      if (!x) return;
      ctx.save();
      ctx.strokeStyle = colours.text;
      ctx.fillStyle = colours.text;
      ctx.setLineDash([4, 4]);
      for (const { index } of marks) {
        const at = x.getPixelForValue(index);
        ctx.beginPath();
        ctx.moveTo(at, chartArea.top);
        ctx.lineTo(at, chartArea.bottom);
        ctx.stroke();
        ctx.beginPath();
        ctx.moveTo(at - 5, chartArea.top - 2);
        ctx.lineTo(at + 5, chartArea.top - 2);
        ctx.lineTo(at, chartArea.top + 6);
        ctx.fill();
      }
      ctx.restore();
    },
  };
}

/** A single value between gaps is a point: a line needs two neighbours. */
function isAlone(values: readonly (number | null)[], index: number): boolean {
  const isKnown = (position: number): boolean => (values[position] ?? null) !== null;
  return isKnown(index) && !isKnown(index - 1) && !isKnown(index + 1);
}

function doughnut({ series, colours, format }: DrawingSpec): ChartConfiguration {
  const ring: ChartConfiguration<'doughnut'> = {
    type: 'doughnut',
    data: {
      labels: series.map(({ title }) => title),
      datasets: [
        {
          data: series.map(({ values }) => values[0] ?? 0),
          backgroundColor: series.map(({ colour }) => colour),
          borderColor: colours.surface,
          borderWidth: 2,
        },
      ],
    },
    options: {
      ...common(colours),
      cutout: '68%',
      plugins: {
        tooltip: {
          ...tip(colours),
          callbacks: { label: (item) => ` ${item.label}  ${format(numberOf(item.raw))}` },
        },
      },
    },
  };
  // The type of one kind is narrower than the type that Chart.js accepts.
  return ring as ChartConfiguration;
}

function common({ text }: DrawingSpec['colours']) {
  const { fontFamily } = getComputedStyle(document.body);
  return {
    responsive: true,
    maintainAspectRatio: false,
    animation: false as const,
    color: text,
    font: { family: fontFamily, size: 12 },
  };
}

function tip({ tip, tipText, tipLine }: DrawingSpec['colours']) {
  return {
    backgroundColor: tip,
    titleColor: tipText,
    bodyColor: tipText,
    footerColor: tipText,
    borderColor: tipLine,
    borderWidth: 1,
    padding: 10,
    cornerRadius: 8,
    boxPadding: 4,
    usePointStyle: true,
    titleMarginBottom: 6,
  };
}

function numberOf(raw: unknown): number | null {
  return typeof raw === 'number' ? raw : null;
}
