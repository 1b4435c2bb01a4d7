/** The rules with their thresholds, and the dialog that changes one. */
import { useState } from 'preact/hooks';
import { useAction } from '../../api/action.ts';
import { api, resource } from '../../api/client.ts';
import { useLive } from '../../api/live.ts';
import { Card } from '../../components/card.tsx';
import { DataTable } from '../../components/data-table.tsx';
import { CheckField, TextField } from '../../components/field.tsx';
import { FormDialog } from '../../components/form-dialog.tsx';
import { Loaded } from '../../components/states.tsx';
import { showToast } from '../../components/toast.tsx';
import { number } from '../../format/format.ts';
import { locale } from '../../preferences/language.ts';
import { may } from '../../state/session.ts';
import { t } from '../../texts/alerts.ts';
import { inUnit, type Rule, ruleTitle } from './alert.tsx';

export function Rules({ botId }: { botId: string }) {
  const live = useLive(resource('/api/v1/bots/{botId}/alert-rules', { path: { botId } }));
  const [edited, setEdited] = useState<Rule | null>(null);
  return (
    <Card title={t('rules')}>
      <Loaded live={live}>
        {({ rules }) => (
          <DataTable
            caption={t('rules')}
            rows={rules}
            keyOf={({ rule }) => rule}
            columns={[
              {
                key: 'rule',
                title: t('rule'),
                cell: ({ rule }) => (
                  <>
                    {ruleTitle(rule)}
                    <span class="note detail">{t(`hint-${rule}`)}</span>
                  </>
                ),
              },
              {
                key: 'state',
                title: t('state'),
                cell: ({ enabled }) => (
                  <span class={`tag ${enabled ? 'tag-good' : ''}`}>{t(enabled ? 'on' : 'off')}</span>
                ),
              },
              { key: 'threshold', title: t('threshold'), cell: (rule) => <Threshold rule={rule} /> },
              ...(may('admin')
                ? [
                    {
                      key: 'edit',
                      title: t('actions'),
                      cell: (rule: Rule) => (
                        <button
                          type="button"
                          class="button"
                          aria-label={t('editRule', { rule: ruleTitle(rule.rule) })}
                          onClick={() => setEdited(rule)}
                        >
                          {t('edit')}
                        </button>
                      ),
                    },
                  ]
                : []),
            ]}
          />
        )}
      </Loaded>
      {edited && (
        <RuleDialog botId={botId} rule={edited} onSaved={live.reload} onClose={() => setEdited(null)} />
      )}
    </Card>
  );
}

function Threshold({ rule: { rule, threshold, hours } }: { rule: Rule }) {
  return (
    <>
      {inUnit(rule, threshold)}
      {hours && (
        <span class="note detail">
          {`${hours.from}:00–${hours.until}:00 · ${hours.weekdays.map(weekday).join(' ')}`}
        </span>
      )}
    </>
  );
}

type DialogProps = { botId: string; rule: Rule; onSaved(): void; onClose(): void };

function RuleDialog({ botId, rule, onSaved, onClose }: DialogProps) {
  const { min, max, hours } = rule;
  const [enabled, setEnabled] = useState(rule.enabled);
  const [threshold, setThreshold] = useState(String(rule.threshold));
  const [from, setFrom] = useState(String(hours?.from ?? 0));
  const [until, setUntil] = useState(String(hours?.until ?? 24));
  const [weekdays, setWeekdays] = useState(hours?.weekdays ?? []);
  const [isTried, setTried] = useState(false);
  const hasThreshold = min !== max;
  const isInRange = threshold.trim() !== '' && Number(threshold) >= min && Number(threshold) <= max;
  const isThresholdRight = !hasThreshold || isInRange;
  const isHoursRight = hours === null || isSpan(Number(from), Number(until));
  const isDaysRight = hours === null || weekdays.length > 0;
  const saving = useAction(async () => {
    await api.PATCH('/api/v1/bots/{botId}/alert-rules/{rule}', {
      params: { path: { botId, rule: rule.rule } },
      body: {
        enabled,
        ...(hasThreshold ? { threshold: Number(threshold) } : {}),
        ...(hours === null ? {} : { hours: { from: Number(from), until: Number(until), weekdays } }),
      },
    });
    onSaved();
    onClose();
    showToast(t('saved'));
  });
  const submit = (): void => {
    setTried(true);
    if (isThresholdRight && isHoursRight && isDaysRight) void saving.run();
  };
  const range = { min: number(min), max: number(max) };
  const hoursError = isTried && !isHoursRight ? t('hoursWrong') : null;
  return (
    <FormDialog
      title={ruleTitle(rule.rule)}
      submit={t('save')}
      action={saving}
      onSubmit={submit}
      onClose={onClose}
    >
      <p class="note">{t(`hint-${rule.rule}`)}</p>
      <CheckField label={t('isOn')} hint={t('isOnHint')} isOn={enabled} onChange={setEnabled} />
      {hasThreshold && (
        <TextField
          label={t('threshold')}
          hint={t('thresholdHint', { ...range, preset: inUnit(rule.rule, rule.defaultThreshold) })}
          type="number"
          min={min}
          max={max}
          value={threshold}
          onValue={setThreshold}
          error={isTried && !isThresholdRight ? t('thresholdWrong', range) : null}
        />
      )}
      {hours && (
        <>
          <TextField
            label={t('from')}
            type="number"
            min={0}
            max={23}
            value={from}
            onValue={setFrom}
            error={hoursError}
          />
          <TextField label={t('until')} type="number" min={1} max={24} value={until} onValue={setUntil} />
          <fieldset class="field">
            <legend class="field-title">{t('weekdays')}</legend>
            {weekdayNumbers.map((day) => (
              <CheckField
                key={day}
                label={weekday(day)}
                isOn={weekdays.includes(day)}
                onChange={(isOn) =>
                  setWeekdays(isOn ? [...weekdays, day].sort() : weekdays.filter((one) => one !== day))
                }
              />
            ))}
            {isTried && !isDaysRight && <p class="field-error">{t('weekdaysWrong')}</p>}
          </fieldset>
        </>
      )}
    </FormDialog>
  );
}

const weekdayNumbers = [1, 2, 3, 4, 5, 6, 7];

/** 1: Monday, 7: Sunday. */
function weekday(day: number): string {
  // 2024-01-01 was a Monday.
  return new Date(Date.UTC(2024, 0, day)).toLocaleDateString(locale(), { weekday: 'short', timeZone: 'UTC' });
}

function isSpan(from: number, until: number): boolean {
  return Number.isInteger(from) && Number.isInteger(until) && from >= 0 && from < until && until <= 24;
}
