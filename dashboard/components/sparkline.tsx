/** A small line of a figure over time. It is decorative: the page that it links to has the numbers. */

const width = 100;
const height = 28;

/** Gaps where a value is not known. Empty without two values. */
export function Sparkline({ values }: { values: readonly (number | null)[] }) {
  const numbers = values.filter((value) => value !== null);
  if (numbers.length < 2) return <span class="spark" />;
  const least = Math.min(...numbers);
  const span = Math.max(...numbers) - least;
  let isPenDown = false;
  const path = values.map((value, index) => {
    if (value === null) {
      isPenDown = false;
      return '';
    }
    const x = (index / (values.length - 1)) * width;
    const y = span === 0 ? height / 2 : height - ((value - least) / span) * height;
    const command = `${isPenDown ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
    isPenDown = true;
    return command;
  });
  return (
    <svg class="spark" viewBox={`0 -2 ${width} ${height + 4}`} preserveAspectRatio="none" aria-hidden="true">
      <path d={path.join('')} />
    </svg>
  );
}
