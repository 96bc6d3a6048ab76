/** Bars from the left, one under the other. Each tells its value as text too, so no colour has to be read. */

export type Bar = { name: string; value: number; /** What stands behind it. */ text: string; isBad?: boolean };

const ROW = 34;
const NAME_WIDTH = 190;
const BAR_WIDTH = 330;
const WIDTH = 720;

export function BarChart({ title, bars }: { title: string; bars: readonly Bar[] }) {
  const most = Math.max(1, ...bars.map(({ value }) => value));
  const told = bars.map(({ name, text }) => `${name}: ${text}`).join('; ');
  return (
    <svg class="chart" viewBox={`0 0 ${WIDTH} ${bars.length * ROW + 8}`} role="img" aria-label={`${title}. ${told}`}>
      {bars.map(({ name, value, text, isBad = false }, index) => {
        const length = Math.round((value / most) * BAR_WIDTH);
        const middle = index * ROW + ROW / 2 + 6;
        return (
          <g>
            <text x={NAME_WIDTH} y={middle} class="name">
              {name}
            </text>
            <rect
              x={NAME_WIDTH + 12}
              y={index * ROW + 6}
              width={Math.max(2, length)}
              height={ROW - 12}
              rx="4"
              class={isBad ? 'bar bad' : 'bar'}
            />
            <text x={NAME_WIDTH + Math.max(2, length) + 20} y={middle}>
              {text}
            </text>
          </g>
        );
      })}
    </svg>
  );
}
