/** Selects the language and the theme. */
import { chooseLanguage, type Language, language, languages } from '../preferences/language.ts';
import { chooseTheme, theme, themes } from '../preferences/theme.ts';
import { t } from '../texts/frame.ts';
import { Choice } from './choice.tsx';

const codes: readonly Language[] = ['zh-Hant', 'ja', 'en'];

export function LanguageChoice() {
  return (
    <Choice
      label={t('language')}
      value={language.value}
      onChange={chooseLanguage}
      choices={codes.map((code) => ({ value: code, title: languages[code], lang: code }))}
    />
  );
}

export function ThemeChoice() {
  return (
    <Choice
      label={t('theme')}
      value={theme.value}
      onChange={chooseTheme}
      choices={themes.map((name) => ({ value: name, title: t(name) }))}
    />
  );
}
