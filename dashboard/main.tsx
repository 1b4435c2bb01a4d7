/** Where the dashboard begins: one page, drawn into the empty body. */
import './style/tokens.css';
import './style/base.css';
import './style/layout.css';
import './style/components.css';
import './style/range.css';
import './style/search.css';
import './style/charts.css';
import './style/print.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { startLanguage } from './preferences/language.ts';

startLanguage();
const container = document.getElementById('app');
if (container) render(<App />, container);
