/** An address with what is given of these fields. */
export function withQuery(path: string, fields: Record<string, string | null | undefined>): string {
  const given = Object.entries(fields).filter((field): field is [string, string] => Boolean(field[1]));
  return given.length > 0 ? `${path}?${new URLSearchParams(given).toString()}` : path;
}
