/** Icons in the colour of the text next to them. They are decorative: the text has the same meaning. */

const paths = {
  overview: 'M3 3h6v8H3zM11 3h6v5h-6zM11 11h6v6h-6zM3 14h6v3H3z',
  audience:
    'M7.5 9a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM2 17c0-3.3 2.5-5.5 5.5-5.5S13 13.7 13 17M13 3.5a3 3 0 0 1 0 5.5M15 12c2 .7 3 2.5 3 5',
  messages: 'M3 4h14v10H9l-4 3v-3H3z',
  conversations: 'M2 3h10v7H7l-3 2.5V10H2zM15 7h3v7h-2v2.5L13 14H8',
  sends: 'M17.5 2.5 2.5 8.5l6 2.5 2.5 6zM17.5 2.5 8.5 11',
  points: 'M10 2.5l2.3 4.8 5.2.7-3.8 3.6.9 5.2L10 14.3l-4.6 2.5.9-5.2L2.5 8l5.2-.7z',
  contacts: 'M4 2.5h12v15H4zM10 9.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4ZM6.8 14.5c0-1.8 1.4-3 3.2-3s3.2 1.2 3.2 3',
  'live-chat': 'M3 10a7 7 0 0 1 14 0M3 10v4h3v-4zM14 10v4h3v-4zM17 14c0 2-2 3.5-5 3.5',
  templates: 'M4 2.5h12v15H4zM7 6.5h6M7 10h6M7 13.5h3',
  rewards: 'M3 7h14v3H3zM4.5 10v7h11v-7M10 7v10M10 7C8 2.5 4 4 6.5 7M10 7c2-4.5 6-3 3.5 0',
  reconciliation: 'M10 3v14M5 17h10M4 6h12M4 6l-2 5.5h4zM16 6l-2 5.5h4z',
  alerts: 'M10 2.5c-3 0-4.5 2-4.5 5 0 4-2 5-2 6.5h13c0-1.5-2-2.5-2-6.5 0-3-1.5-5-4.5-5ZM8 16.5h4',
  'mail-reports': 'M2.5 4.5h15v11h-15zM2.5 5l7.5 6 7.5-6',
  data: 'M3 5c0-1.4 3.1-2.5 7-2.5s7 1.1 7 2.5-3.1 2.5-7 2.5S3 6.4 3 5ZM3 5v10c0 1.4 3.1 2.5 7 2.5s7-1.1 7-2.5V5M3 10c0 1.4 3.1 2.5 7 2.5s7-1.1 7-2.5',
  health: 'M2 10h4l2-5 4 10 2-5h4',
  settings: 'M3 6h7M14 6h3M3 14h3M10 14h7M12 4v4M8 12v4',
  menu: 'M3 5h14M3 10h14M3 15h14',
  close: 'M4.5 4.5l11 11M15.5 4.5l-11 11',
  download: 'M10 3v9M6 8.5 10 12.5l4-4M3.5 16.5h13',
  up: 'M10 16V4M5 9l5-5 5 5',
  down: 'M10 4v12M5 11l5 5 5-5',
  warning: 'M10 3 18 17H2zM10 8v4M10 14.5v.1',
  empty: 'M3 11l2.5-7h9L17 11v5.5H3zM3 11h4l1 2h4l1-2h4',
  out: 'M8 3H3v14h5M12 6l4 4-4 4M16 10H7',
  copy: 'M7 7h9v9H7zM4 13V4h9',
  left: 'M12 4l-6 6 6 6',
  right: 'M8 4l6 6-6 6',
  calendar: 'M3 5h14v12H3zM3 9h14M7 3v4M13 3v4',
  search: 'M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM13 13l4.5 4.5',
  print: 'M6 8V3h8v5M6 14H3V8h14v6h-3M6 12h8v5H6z',
  back: 'M12 4l-6 6 6 6',
  image: 'M3 4h14v12H3zM3 13l4-4 4 4 2-2 4 4M13 8v.1',
  plus: 'M10 4v12M4 10h12',
  check: 'M4 10.5l4 4 8-9',
  sun: 'M10 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M4.3 15.7l1.1-1.1M14.6 5.4l1.1-1.1',
  world:
    'M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15ZM2.5 10h15M10 2.5c2.5 2.5 3 5 3 7.5s-.5 5-3 7.5c-2.5-2.5-3-5-3-7.5s.5-5 3-7.5',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
