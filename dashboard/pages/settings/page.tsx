/**
 * Settings: the bot, its channels, outgoing webhooks, moving in from MantaGo, API access and users. The address holds the section
 * (`?section=channels&platform=line`), so that users can share a step of a set-up.
 */
import '../settings.css';
import { PageFrame } from '../../components/page.tsx';
import { useAddress } from '../../state/address.ts';
import type { PageProps } from '../../state/bots.ts';
import { may } from '../../state/session.ts';
import { t as account } from '../../texts/account.ts';
import { t as auditLog } from '../../texts/audit-log.ts';
import { t as frame } from '../../texts/frame.ts';
import { t } from '../../texts/settings.ts';
import { Access } from './access.tsx';
import { Account } from './account.tsx';
import { AuditLog } from './audit-log.tsx';
import { BotSettings } from './bot.tsx';
import { CallbackSettings } from './callback.tsx';
import { Channels } from './channels.tsx';
import { MantagoSettings } from './mantago.tsx';
import { NewBotButton } from './new-bot.tsx';
import { Users } from './users.tsx';

const sections = [
  { name: 'bot', content: BotSettings, scope: 'read' },
  { name: 'channels', content: Channels, scope: 'read' },
  { name: 'callback', content: CallbackSettings, scope: 'read' },
  { name: 'mantago', content: MantagoSettings, scope: 'read' },
  { name: 'access', content: Access, scope: 'admin' },
  { name: 'users', content: Users, scope: 'admin' },
  { name: 'account', content: Account, scope: 'read' },
  { name: 'audit-log', content: AuditLog, scope: 'admin' },
] as const;

export default function SettingsPage({ bot }: PageProps) {
  const { path, query } = useAddress();
  const allowedSections = sections.filter(({ scope }) => may(scope));
  const section = allowedSections.find(({ name }) => name === query.section) ?? sections[0];
  const Content = section.content;
  return (
    <PageFrame title={frame('settings')} note={bot.name} actions={<NewBotButton />}>
      <nav class="section-nav" aria-label={t('sections')}>
        {allowedSections.map(({ name }) => (
          <a
            key={name}
            href={name === 'bot' ? path : `${path}?section=${name}`}
            aria-current={name === section.name ? 'page' : undefined}
          >
            {name === 'audit-log' ? auditLog('auditLog') : name === 'account' ? account('account') : t(name)}
          </a>
        ))}
      </nav>
      <Content bot={bot} />
    </PageFrame>
  );
}
