/** A table. A click sorts it if all rows are loaded; otherwise a button loads more rows. */
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
  /** The sort key, null last; omitted: the column is not sortable. */
  sortBy?(row: Row): number | string | null;
  isNumber?: boolean;
};

export type DataTableProps<Row> = {
  /** Names the table for screen readers. */
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf(row: Row): string;
  /** For lists loaded page by page (api/cursor-pages.ts), which are sortable only after the last page. */
  pages?: { hasMore: boolean; isLoading: boolean; error: ApiError | null; more(): void };
  /** Shown when there are no rows. */
  empty?: VNode;
  /** The initial order; default: the order of `rows`. */
  startOrder?: Order;
};

type Order = { key: string; isDown: boolean };

export function DataTable<Row>(props: DataTableProps<Row>) {
  const { caption, columns, rows, keyOf, pages, empty, startOrder = null } = props;
  const [order, setOrder] = useState<Order | null>(startOrder);
  const isSortable = !pages?.hasMore;
  const orderedRows = isSortable ? sorted(rows, columns, order) : rows;
  if (rows.length === 0 && pages?.error) return <ErrorNote error={pages.error} retry={pages.more} />;
  if (rows.length === 0) return pages?.isLoading ? <Loading /> : (empty ?? <Empty />);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable region must be reachable by keyboard */}
      {/* biome-ignore lint/a11y/useSemanticElements: this is not a group of fields */}
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
                  {isSortable && column.sortBy ? (
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
            {orderedRows.map((row) => (
              <tr key={keyOf(row)}>
                {columns.map((column) => (
                  <td
                    key={column.key}
                    class={column.isNumber ? 'number' : undefined}
                    data-title={column.title}
                  >
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

// The first click sorts numbers from the largest and texts from A, the second reverses, the third removes the order.
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

function compare(one: number | string | null, other: number | string | null, sign: 1 | -1): number {
  if (one === null || other === null) return Number(one === null) - Number(other === null);
  if (typeof one === 'number' && typeof other === 'number') return (one - other) * sign;
  return String(one).localeCompare(String(other)) * sign;
}
