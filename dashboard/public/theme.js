// The theme that was chosen, before anything is painted. A file of its own, because the content security policy allows no
// script within the page. dashboard/preferences/theme.ts keeps the choice.
try {
  const theme = localStorage.getItem('shoal.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // No storage for this site: the system's theme.
}
