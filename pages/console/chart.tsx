/** Bars from the left, one under the other. Each value stands beside its bar as text, so no colour has to be read. */
export type Bar = { name: string; value: number; text: string; isBad?: boolean };

export function BarChart({ bars }: { bars: readonly Bar[] }) {
  const most = Math.max(1, ...bars.map(({ value }) => value));
  return (
    <dl class="chart">
      {bars.map(({ name, value, text, isBad = false }) => (
        <div>
          <dt>{name}</dt>
          <dd>
            <svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true" class={isBad ? 'bad-bar' : ''}>
              <rect width={String(Math.round((value / most) * 1000) / 10)} height="1" />
            </svg>
            <span>{text}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}
