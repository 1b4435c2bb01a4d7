/** Rows and columns: sorted by a click where all rows are here, with more on demand where they are not. */
import type { ComponentChildren, VNode } from 'preact';
import { useState } from 'preact/hooks';
import type { ApiError } from '../api/client.ts';
import { t } from '../texts/frame.ts';
import { Icon } from './icon.tsx';
import { Empty, ErrorNote, Loading } from './states.tsx';

export type Column<Row> = {
  key: string;
  title: string;
  /** The content of the cell. */
  cell(row: Row): ComponentChildren;
  /** By what the column is sorted; left out: it is not. Null goes last. */
  sortBy?(row: Row): number | string | null;
  isNumber?: boolean;
};

export type DataTableProps<Row> = {
  /** Names the table for screen readers. */
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf(row: Row): string;
  /** Lists that come page by page (pages-of.ts); such are not sorted here, as only a part of them is. */
  pages?: { hasMore: boolean; isLoading: boolean; error: ApiError | null; more(): void };
  /** Shown when there are no rows. */
  empty?: VNode;
  /** By which column the rows are sorted at first; left out: they stay as they are. */
  startOrder?: Order;
};

type Order = { key: string; isDown: boolean };

export function DataTable<Row>(props: DataTableProps<Row>) {
  const { caption, columns, rows, keyOf, pages, empty, startOrder = null } = props;
  const [order, setOrder] = useState<Order | null>(startOrder);
  const maySort = !pages?.hasMore;
  const shown = maySort ? sorted(rows, columns, order) : rows;
  if (rows.length === 0 && pages?.error) return <ErrorNote error={pages.error} retry={pages.more} />;
  if (rows.length === 0) return pages?.isLoading ? <Loading /> : (empty ?? <Empty />);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      {/* biome-ignore lint/a11y/useSemanticElements: it is no group of fields */}
      <div class="table-scroll" role="group" tabIndex={0} aria-label={caption}>
        <table class="table">
          <caption class="hidden">{caption}</caption>
          <thead>
            <tr>
              {columns.map((column) => (
                <th
                  key={column.key}
                  scope="col"
                  class={column.isNumber ? 'number' : undefined}
                  aria-sort={
                    order?.key === column.key ? (order.isDown ? 'descending' : 'ascending') : undefined
                  }
                >
                  {maySort && column.sortBy ? (
                    <button
                      type="button"
                      class="sort"
                      onClick={() => setOrder(nextOrder(order, column))}
                      title={t('sort', { column: column.title })}
                    >
                      {column.title}
                      {order?.key === column.key && <Icon name={order.isDown ? 'down' : 'up'} />}
                    </button>
                  ) : (
                    column.title
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row) => (
              <tr key={keyOf(row)}>
                {columns.map((column) => (
                  <td key={column.key} class={column.isNumber ? 'number' : undefined}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {pages?.error && <ErrorNote error={pages.error} retry={pages.more} />}
      {pages?.hasMore && !pages.error && (
        <button type="button" class="button table-more" onClick={pages.more} disabled={pages.isLoading}>
          {pages.isLoading ? t('loading') : t('more')}
        </button>
      )}
    </>
  );
}

// Numbers first from the largest, texts from A; a second click turns it, a third takes it back.
function nextOrder<Row>(order: Order | null, { key, isNumber = false }: Column<Row>): Order | null {
  if (order?.key !== key) return { key, isDown: isNumber };
  return order.isDown === isNumber ? { key, isDown: !order.isDown } : null;
}

function sorted<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  order: Order | null,
): readonly Row[] {
  const sortBy = columns.find(({ key }) => key === order?.key)?.sortBy;
  if (!order || !sortBy) return rows;
  return [...rows].sort((one, other) => compare(sortBy(one), sortBy(other), order.isDown ? -1 : 1));
}

function compare(one: number | string | null, other: number | string | null, way: 1 | -1): number {
  if (one === null || other === null) return Number(one === null) - Number(other === null);
  if (typeof one === 'number' && typeof other === 'number') return (one - other) * way;
  return String(one).localeCompare(String(other)) * way;
}
