/** Days and times in the visitor's time zone and the widget's language. A locale is a BCP 47 tag. */

/** The visitor's calendar day of an ISO time, only for comparison. */
export function dayOf(time: string | number): string {
  return new Date(time).toDateString();
}

const dayMs = 86_400_000;

/** Today, yesterday, or the date; with the year if it differs from the current one. */
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
