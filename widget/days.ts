/** Days and times as the visitor's own calendar has them, in the widget's language. A locale is a BCP 47 tag. */
/** The visitor's calendar day of an ISO time, to be compared only. */
export function dayOf(time: string | number): string {
  return new Date(time).toDateString();
}

const dayMs = 86_400_000;

/** Today, yesterday, else the date; with the year when it is another one. */
export function dayName(
  time: string,
  now: number,
  { locale, texts }: { locale: string; texts: { today: string; yesterday: string } },
): string {
  if (dayOf(time) === dayOf(now)) return texts.today;
  if (dayOf(time) === dayOf(now - dayMs)) return texts.yesterday;
  const date = new Date(time);
  const year = date.getFullYear() === new Date(now).getFullYear() ? undefined : 'numeric';
  return new Intl.DateTimeFormat(locale, { year, month: 'long', day: 'numeric', weekday: 'short' }).format(
    date,
  );
}

/** Hours and minutes. */
export function timeName(time: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' }).format(new Date(time));
}
