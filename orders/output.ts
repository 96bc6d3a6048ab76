/** What a command answers: for people a sentence or a table, for scripts the same as JSON. */
export type Answer =
  { text: string; data: Record<string, unknown> } | { rows: readonly Record<string, unknown>[]; none: string };

/** A wish that can't be granted as it was said; the message says what would do. */
export class UsageError extends Error {}

export function printed(answer: Answer, asJson: boolean): string {
  if (asJson) return JSON.stringify('rows' in answer ? answer.rows : answer.data, null, 2);
  if ('text' in answer) return answer.text;
  return answer.rows.length === 0 ? answer.none : table(answer.rows);
}

/** Columns as wide as what stands in them. */
function table(rows: readonly Record<string, unknown>[]): string {
  const names = Object.keys(rows[0]!);
  const lines = [names, ...rows.map((row) => names.map((name) => cell(row[name])))];
  const widths = names.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) =>
      line
        .map((text, column) => text.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '–';
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.join(' ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean);
}
