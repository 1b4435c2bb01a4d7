/** The parts shared by the cards of tokens: the list with creation and revocation, the dialogs, the expiry. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import type { Live } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { Confirm } from '../../components/confirm.tsx';
import { CopyField } from '../../components/copy-field.tsx';
import { type Column, DataTable } from '../../components/data-table.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { SelectField } from '../../components/field.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { Icon } from '../../components/icon.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { dateTime } from '../../format/format.ts';
import { t } from '../../texts/settings.ts';

type Token = { tokenId: string; createdAt: string; expiresAt: string | null; revokedAt: string | null };

type TokenCardProps<Row extends Token> = {
  title: string;
  note: string;
  /** Label of the button that opens the dialog. */
  newTitle: string;
  live: Live<readonly Row[]>;
  /** The columns before expiry and state. */
  columns: readonly Column<Row>[];
  zone: string;
  nameOf(token: Row): string;
  /** Throws ApiError. */
  revoke(token: Row): Promise<unknown>;
  /** The dialog that creates a token. */
  dialog(close: () => void): ComponentChildren;
};

/** A list of tokens. */
export function TokenCard<Row extends Token>(props: TokenCardProps<Row>) {
  const { title, note, newTitle, live, columns, zone, nameOf, revoke, dialog } = props;
  const [isDialogOpen, setDialogOpen] = useState(false);
  const [tokenToRevoke, setTokenToRevoke] = useState<Row | null>(null);
  const expiryAndState: Column<Row>[] = [
    {
      key: 'expires',
      title: t('expires'),
      cell: ({ expiresAt }) => (expiresAt === null ? t('noEnd') : dateTime(expiresAt, zone)),
      sortBy: ({ expiresAt }) => expiresAt,
    },
    {
      key: 'revoke',
      title: t('state'),
      cell: (token) => (
        <State token={token} name={nameOf(token)} zone={zone} onRevoke={() => setTokenToRevoke(token)} />
      ),
    },
  ];
  return (
    <Card
      title={title}
      note={note}
      actions={
        <button type="button" class="button" onClick={() => setDialogOpen(true)}>
          <Icon name="plus" />
          {newTitle}
        </button>
      }
    >
      <Loaded live={live}>
        {(tokens) => (
          <DataTable<Row>
            caption={title}
            rows={tokens}
            keyOf={({ tokenId }) => tokenId}
            empty={<Empty title={t('noTokens')} />}
            columns={[...columns, ...expiryAndState]}
          />
        )}
      </Loaded>
      {isDialogOpen && dialog(() => setDialogOpen(false))}
      {tokenToRevoke && (
        <Confirm
          title={t('revokeWhich', { name: nameOf(tokenToRevoke) })}
          text={t('revokeAsk')}
          actionTitle={t('revoke')}
          act={async () => {
            await revoke(tokenToRevoke);
            live.reload();
            showToast(t('revokedDone', { name: nameOf(tokenToRevoke) }));
          }}
          onClose={() => setTokenToRevoke(null)}
        />
      )}
    </Card>
  );
}

type AnyScope = 'read' | 'write' | 'admin' | 'insight' | 'send' | 'all';

/** The column of a scope; `scopes` is ordered from the least to the most. */
export function scopeColumn(scopes: readonly AnyScope[]): Column<{ scope: AnyScope }> {
  return {
    key: 'scope',
    title: t('scope'),
    cell: ({ scope }) => <span class="tag">{t(scope)}</span>,
    sortBy: ({ scope }) => scopes.indexOf(scope),
  };
}

type ScopeFieldProps<Scope> = {
  scopes: readonly Scope[];
  value: Scope;
  onValue(scope: NoInfer<Scope>): void;
};

export function ScopeField<Scope extends AnyScope>({ scopes, value, onValue }: ScopeFieldProps<Scope>) {
  return (
    <SelectField
      label={t('scope')}
      hint={hintOf(value)}
      value={value}
      onValue={onValue}
      choices={scopes.map((scope) => ({ value: scope, title: titleOf(scope) }))}
    />
  );
}

const titleOf = (scope: AnyScope): string => t(scope);
const hintOf = (scope: AnyScope): string => t(`${scope}Hint`);

export function createdColumn(zone: string): Column<Token> {
  return {
    key: 'created',
    title: t('createdAt'),
    cell: ({ createdAt }) => dateTime(createdAt, zone),
    sortBy: ({ createdAt }) => createdAt,
  };
}

/** The end of the token, or the button that revokes it. */
function State({
  token: { expiresAt, revokedAt },
  name,
  zone,
  onRevoke,
}: {
  token: Token;
  name: string;
  zone: string;
  onRevoke(): void;
}) {
  if (revokedAt !== null)
    return <span class="note">{t('revokedAt', { at: dateTime(revokedAt, zone) })}</span>;
  if (expiresAt !== null && Date.parse(expiresAt) <= Date.now()) {
    return <span class="note">{t('expired')}</span>;
  }
  return (
    <button
      type="button"
      class="button button-danger"
      aria-label={t('revokeWhich', { name })}
      onClick={onRevoke}
    >
      {t('revoke')}
    </button>
  );
}

type NewTokenDialogProps = {
  title: string;
  /** Creates the token and returns its secret. Throws ApiError. */
  create(expiry: { expiresAt?: string }): Promise<string>;
  onCreated(): void;
  onClose(): void;
  /** The fields before the expiry. */
  children: ComponentChildren;
};

/** Creates a token, then shows its secret once. */
export function NewTokenDialog({ title, create, onCreated, onClose, children }: NewTokenDialogProps) {
  const [days, setDays] = useState('');
  const [secret, setSecret] = useState<string | null>(null);
  const creating = useAction(async () => {
    setSecret(await create(expiryOf(days)));
    onCreated();
  });
  if (secret !== null) return <NewTokenSecret secret={secret} onClose={onClose} />;
  return (
    <FormDialog
      title={title}
      submit={t('make')}
      action={creating}
      onSubmit={() => void creating.run()}
      onClose={onClose}
    >
      {children}
      <SelectField
        label={t('expires')}
        value={days}
        onValue={setDays}
        choices={[
          { value: '', title: t('noEnd') },
          ...daysUntilExpiry.map((count) => ({ value: String(count), title: t('afterDays', { count }) })),
        ]}
      />
    </FormDialog>
  );
}

const dayMs = 86_400_000;
const daysUntilExpiry = [7, 30, 90, 365];

function expiryOf(days: string): { expiresAt?: string } {
  return days === '' ? {} : { expiresAt: new Date(Date.now() + Number(days) * dayMs).toISOString() };
}

function NewTokenSecret({ secret, onClose }: { secret: string; onClose(): void }) {
  return (
    <Dialog title={t('tokenMade')} onClose={onClose}>
      <div class="form">
        <p class="notice">{t('shownOnce')}</p>
        <CopyField label={t('token')} value={secret} />
        <div class="dialog-actions">
          <button type="button" class="button button-main" onClick={onClose}>
            {t('done')}
          </button>
        </div>
      </div>
    </Dialog>
  );
}
