/** Rows of text in columns that line up: the first to the left, the others to the right unless said. */
export function columns(rows: readonly (readonly string[])[], others: 'left' | 'right' = 'right'): string {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, index) => (widths[index] = Math.max(widths[index] ?? 0, cell.length)));
  const padded = (cell: string, index: number) =>
    index === 0 || others === 'left' ? cell.padEnd(widths[index]!) : cell.padStart(widths[index]!);
  return rows.map((row) => row.map(padded).join('  ').trimEnd()).join('\n');
}
