/**
 * The list of pages, in the order of the navigation. The file `pages/<name>.tsx` (or `pages/<name>/page.tsx`) exports a page by
 * default. The navigation hides a name without a file.
 */
import type { FunctionComponent } from 'preact';
import { lazy } from 'preact-iso';
import type { PageProps } from '../state/bots.ts';

export type PageName = (typeof pageGroups)[number]['pages'][number];
export type Page = { name: PageName; component: FunctionComponent<PageProps> };

const pageGroups = [
  {
    name: 'figures',
    pages: ['overview', 'audience', 'messages', 'conversations', 'sends', 'points'],
  },
  { name: 'people', pages: ['contacts', 'live-chat', 'templates', 'rewards'] },
  { name: 'operation', pages: ['reconciliation', 'mail-reports', 'data', 'health', 'alerts', 'settings'] },
] as const;

type Module = { default: FunctionComponent<PageProps> };
const files = import.meta.glob<Module>([
  '../pages/*.tsx',
  '../pages/*/page.tsx',
  '!../pages/sign-in.tsx',
  '!../pages/setup.tsx',
]);

/** The groups of the navigation with their existing pages. */
export const navigation: readonly { name: 'figures' | 'people' | 'operation'; pages: readonly Page[] }[] =
  pageGroups.map(({ name, pages }) => ({ name, pages: pages.flatMap(pageOf) }));

/** Finds a page by its name in an address. */
export function findPage(name: string): Page | undefined {
  return navigation.flatMap(({ pages }) => pages).find((page) => page.name === name);
}

function pageOf(name: PageName): Page[] {
  const load = files[`../pages/${name}.tsx`] ?? files[`../pages/${name}/page.tsx`];
  return load ? [{ name, component: lazy(load) }] : [];
}
