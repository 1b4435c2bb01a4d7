/** Selects the language and the theme. */
import { chooseLanguage, type Language, language, languages } from '../preferences/language.ts';
import { chooseTheme, theme, themes } from '../preferences/theme.ts';
import { t } from '../texts/frame.ts';

const codes: readonly Language[] = ['zh-Hant', 'ja', 'en'];

export function LanguageChoice() {
  return (
    <label class="choice">
      <span class="hidden">{t('language')}</span>
      <select
        class="input"
        value={language.value}
        onChange={({ currentTarget }) => {
          const code = codes.find((one) => one === currentTarget.value);
          if (code) chooseLanguage(code);
        }}
      >
        {codes.map((code) => (
          <option key={code} value={code} lang={code}>
            {languages[code]}
          </option>
        ))}
      </select>
    </label>
  );
}

export function ThemeChoice() {
  return (
    <label class="choice">
      <span class="hidden">{t('theme')}</span>
      <select
        class="input"
        value={theme.value}
        onChange={({ currentTarget }) => {
          const chosen = themes.find((one) => one === currentTarget.value);
          if (chosen) chooseTheme(chosen);
        }}
      >
        {themes.map((name) => (
          <option key={name} value={name}>
            {t(name)}
          </option>
        ))}
      </select>
    </label>
  );
}
