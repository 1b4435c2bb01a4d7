/** The bot's data: tags, imports of files, and checks of figures and points. */
import './data.css';
import { useState } from 'preact/hooks';

import { PageFrame } from '../../components/page.tsx';
import { Empty } from '../../components/states.tsx';
import type { PageProps } from '../../state/bots.ts';
import { may } from '../../state/session.ts';
import { t } from '../../texts/data.ts';
import { t as frame } from '../../texts/frame.ts';
import { Checks } from './checks.tsx';
import { Imports } from './imports.tsx';
import { TagList } from './tags.tsx';

export default function DataPage({ bot }: PageProps) {
  // An import can add tags.
  const [imports, setImports] = useState(0);
  return (
    <PageFrame title={frame('data')} note={t('note')}>
      <TagList bot={bot} changes={imports} />
      {may('write') ? (
        <>
          <Imports bot={bot} onImported={() => setImports(imports + 1)} />
          <Checks bot={bot} />
        </>
      ) : (
        <Empty title={t('readOnly')} />
      )}
    </PageFrame>
  );
}
