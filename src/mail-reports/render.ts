/**
 * A report as an e-mail: HTML of tables with inline styles, as Gmail and Outlook require, and the same as plain text. Charts are
 * attached images. Nothing is loaded from a server.
 */
import type { Attachment } from '../mail/message.ts';
import { chartSize, drawBars } from './chart.ts';
import type { BotReport } from './figures.ts';
import type { Frequency } from './schedule.ts';
import { fill, type Language, type ReportFigure, reportFigures, type Texts, texts } from './texts.ts';

export type ReportContent = {
  name: string;
  language: Language;
  frequency: Frequency;
  /** The days of the period, both included. */
  first: string;
  last: string;
  bots: readonly BotReport[];
  /** Of this server, without a slash at the end. */
  publicUrl: string;
};

export type RenderedReport = {
  subject: string;
  text: string;
  html: string;
  attachments: Attachment[];
};

/** `unsubscribeUrl`: of the recipient; null: in a preview. */
export function renderReport(content: ReportContent, unsubscribeUrl: string | null): RenderedReport {
  const { name, language, frequency, first, last, bots } = content;
  const words = texts[language];
  const subject = fill(words.subject, {
    name,
    kind: words.kind[frequency],
    days: formatDays(language, first, last),
  });
  const sections = bots.map((report, index) => toSection(content, report, index));
  const attached = fill(words.attached, { count: String(bots.length) });
  const why = fill(words.why, { name });
  return {
    subject,
    text: [
      subject,
      ...sections.map(toText),
      attached,
      why,
      ...(unsubscribeUrl === null ? [] : [`${words.unsubscribe}: ${unsubscribeUrl}`]),
    ].join('\n\n'),
    html: toPage({
      language,
      subject,
      body: sections.map((section) => toHtml(section, words)).join(''),
      footer: [
        escapeHtml(attached),
        escapeHtml(why),
        ...(unsubscribeUrl === null ? [] : [link(unsubscribeUrl, words.unsubscribe, '#475569')]),
      ].join('<br>'),
    }),
    attachments: sections.flatMap(({ charts, csv }) => [
      ...charts.map(({ cid, image }) => ({
        ...{ fileName: `${cid}.png`, type: 'image/png', content: image, cid },
      })),
      csv,
    ]),
  };
}

/** Everything about one bot, as texts. */
type Section = {
  title: string;
  compared: string;
  /** `[figure, value, change]`. */
  rows: [string, string, string][];
  /** The first row has the titles. */
  platforms: string[][];
  charts: { cid: string; title: string; note: string; alt: string; image: Uint8Array }[];
  zone: string;
  url: string;
  open: string;
  csv: Attachment;
  /** Null: there is one. */
  noChannels: string | null;
};

const platformFigures = ['followers', 'newFollowers', 'messages', 'conversations'] as const;

function toSection(
  { language, first, last, publicUrl }: ReportContent,
  report: BotReport,
  index: number,
): Section {
  const words = texts[language];
  const { bot, overview, days } = report;
  const { before } = overview;
  const find = (figure: ReportFigure, platform: string) =>
    overview.figures.find((entry) => entry.figure === figure && entry.platform === platform);
  const number = (value: number | null | undefined) => formatNumber(language, value ?? null);
  const connected = [...new Set(overview.figures.map(({ platform }) => platform))].filter(
    (platform) => platform !== 'all',
  );
  const daysOf = (from: string, to: string) => formatDays(language, from, to);
  const periodStart = days.indexOf(first);
  return {
    title: bot.name,
    compared: before ? fill(words.compared, { days: daysOf(before.from, before.to) }) : '',
    rows: reportFigures.map((figure) => {
      const entry = find(figure, 'all');
      return [words.figures[figure], number(entry?.now), formatChange(language, entry?.changeRate ?? null)];
    }),
    platforms: [
      [words.platform, ...platformFigures.map((figure) => words.figures[figure])],
      ...connected.map((platform) => [
        words.platforms[platform],
        ...platformFigures.map((figure) => number(find(figure, platform)?.now)),
      ]),
    ],
    charts: report.charts.map(({ figure, values }) => {
      const title = fill(words.byDay, { figure: words.figures[figure] });
      const range = daysOf(days[0] ?? first, days.at(-1) ?? last);
      const highest = Math.max(0, ...values.map((value) => value ?? 0));
      return {
        cid: `chart-${index + 1}-${figure}`,
        title,
        note: `${range} · ${fill(words.highest, { max: number(highest) })}`,
        alt: `${title}, ${range}: ${values.map(number).join(', ')}`,
        image: drawBars(values, periodStart),
      };
    }),
    zone: fill(words.zone, { zone: bot.timeZone }),
    url: `${publicUrl}/bots/${encodeURIComponent(bot.botId)}/overview?from=${first}&to=${last}`,
    open: words.open,
    csv: {
      fileName: `shoal-${bot.botId}-${first}${first === last ? '' : `-${last}`}.csv`,
      type: 'text/csv; charset=utf-8',
      content: report.csv,
    },
    noChannels: connected.length === 0 ? words.noChannels : null,
  };
}

function toText({ title, compared, rows, platforms, zone, url, open, noChannels }: Section): string {
  return [
    `== ${title} ==`,
    compared,
    ...rows.map(([figure, value, change]) => `${figure}: ${value} (${change})`),
    ...(noChannels === null ? platforms.slice(1).map((cells) => cells.join(' · ')) : [noChannels]),
    zone,
    `${open}: ${url}`,
  ].join('\n');
}

const font =
  "font-family:-apple-system,'Segoe UI',Roboto,'Noto Sans TC','Noto Sans JP','PingFang TC','Hiragino Sans',Meiryo,'Microsoft JhengHei',sans-serif";
const ink = '#0f172a';
const muted = '#475569';
const border = 'border-bottom:1px solid #e2e8f0';

function toHtml(section: Section, words: Texts): string {
  const { title, compared, rows, platforms, charts, zone, url, open, noChannels } = section;
  const figures = table([[words.figure, words.value, words.change], ...rows], { isStrong: 1 });
  const byPlatform = noChannels === null ? table(platforms, {}) : paragraph(noChannels);
  const images = charts.map(
    (chart) =>
      `<p style="margin:20px 0 4px;${font};font-size:14px;color:${ink}"><strong>${escapeHtml(chart.title)}</strong><br>` +
      `<span style="font-size:12px;color:${muted}">${escapeHtml(chart.note)}</span></p>` +
      `<img src="cid:${chart.cid}" alt="${escapeHtml(chart.alt)}" width="${chartSize.width}" height="${chartSize.height}" ` +
      `style="display:block;width:100%;max-width:${chartSize.width}px;height:auto;border:0">`,
  );
  return (
    `<tr><td style="padding:24px 20px 8px"><h2 style="margin:0 0 4px;${font};font-size:18px;color:${ink}">${escapeHtml(title)}</h2>` +
    `${paragraph(compared)}${figures}${images.join('')}${byPlatform}${paragraph(zone)}` +
    `<p style="margin:16px 0;${font};font-size:14px">${link(url, open, '#0f766e')}</p></td></tr>`
  );
}

function table(rows: readonly (readonly string[])[], { isStrong = -1 }: { isStrong?: number }): string {
  const lines = rows.map((cells, row) => {
    const tag = row === 0 ? 'th' : 'td';
    const html = cells.map((cell, column) => {
      const weight = row > 0 && column === isStrong ? ';font-weight:bold' : ';font-weight:normal';
      const style = `padding:6px 4px;${border};${font};font-size:14px;color:${row === 0 ? muted : ink}${weight}`;
      const scope = row === 0 ? ' scope="col"' : '';
      return `<${tag}${scope} align="${column === 0 ? 'left' : 'right'}" style="${style}">${escapeHtml(cell)}</${tag}>`;
    });
    return `<tr>${html.join('')}</tr>`;
  });
  return (
    '<table width="100%" cellpadding="0" cellspacing="0" border="0" style="border-collapse:collapse;margin:12px 0">' +
    `${lines.join('')}</table>`
  );
}

function paragraph(text: string): string {
  return `<p style="margin:4px 0;${font};font-size:13px;color:${muted}">${escapeHtml(text)}</p>`;
}

function link(url: string, text: string, colour: string): string {
  return `<a href="${escapeHtml(url)}" style="color:${colour}">${escapeHtml(text)}</a>`;
}

function toPage({
  language,
  subject,
  body,
  footer,
}: {
  language: Language;
  subject: string;
  body: string;
  footer: string;
}): string {
  return (
    `<!DOCTYPE html><html lang="${language}"><head><meta charset="utf-8">` +
    '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light">' +
    `<title>${escapeHtml(subject)}</title></head><body style="margin:0;padding:0;background:#f1f5f9">` +
    '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr><td align="center" style="padding:16px 8px">' +
    '<table role="presentation" width="600" cellpadding="0" cellspacing="0" border="0" ' +
    'style="width:100%;max-width:600px;background:#ffffff;border:1px solid #e2e8f0">' +
    `<tr><td style="padding:20px 20px 0"><h1 style="margin:0;${font};font-size:20px;color:${ink}">${escapeHtml(subject)}</h1></td></tr>` +
    `${body}<tr><td style="padding:16px 20px;${font};font-size:12px;line-height:1.6;color:${muted}">${footer}</td></tr>` +
    '</table></td></tr></table></body></html>'
  );
}

export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (letter) => entities[letter] ?? letter);
}

/** Null: unknown. */
function formatNumber(language: Language, value: number | null): string {
  return value === null ? '–' : new Intl.NumberFormat(language).format(value);
}

/** ▲ 58%, ▼ 3%, 0%; null: unknown. */
export function formatChange(language: Language, rate: number | null): string {
  if (rate === null) return '–';
  const whole = Math.round(Math.abs(rate) * 100);
  const text = new Intl.NumberFormat(language, { style: 'percent' }).format(whole / 100);
  if (whole === 0) return text;
  return `${rate > 0 ? '▲' : '▼'} ${text}`;
}

export function formatDays(language: Language, first: string, last: string): string {
  const format = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeZone: 'UTC' });
  const noon = (day: string) => Date.parse(`${day}T12:00:00Z`);
  return first === last ? format.format(noon(first)) : format.formatRange(noon(first), noon(last));
}
