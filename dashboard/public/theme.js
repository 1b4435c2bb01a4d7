// Applies the stored theme before the first paint. A separate file, because the content security policy forbids inline
// scripts. dashboard/preferences/theme.ts stores the theme.
try {
  const theme = localStorage.getItem('shoal.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage is blocked: use the system's theme.
}
