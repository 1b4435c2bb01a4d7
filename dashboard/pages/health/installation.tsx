/** The installation: its disk, and commits that a cluster has not finished. */
import { Card } from '../../components/card.tsx';
import { Facts } from '../../components/facts.tsx';
import { megabytes, number, unknown } from '../../format/format.ts';
import { t } from '../../texts/health.ts';
import type { Installation } from './health.ts';

/** Below this share of the disk, the free space is shown as a warning. */
const freeShareMin = 0.1;

export function InstallationCard({
  installation: { disk, preparedTransactions },
}: {
  installation: Installation;
}) {
  const isShort = disk !== null && disk.freeBytes < freeShareMin * disk.totalBytes;
  return (
    <Card title={t('installation')} note={t('installationNote')}>
      <Facts
        facts={[
          [
            t('diskFree'),
            disk === null ? (
              t('diskElsewhere')
            ) : (
              <span key="disk" class={`tag ${isShort ? 'tag-bad' : 'tag-good'}`}>
                {t('diskOf', { free: megabytes(disk.freeBytes), total: megabytes(disk.totalBytes) })}
              </span>
            ),
          ],
          [
            t('prepared'),
            preparedTransactions === null ? (
              unknown
            ) : (
              <span key="prepared" class={`tag ${preparedTransactions > 0 ? 'tag-warn' : 'tag-good'}`}>
                {number(preparedTransactions)}
              </span>
            ),
          ],
        ]}
      />
    </Card>
  );
}
