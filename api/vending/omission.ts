/**
 * As protobuf's JSON leaves out what is empty, zero or false (seed 002, "TIP"); whatever is left stays in its order.
 * Strings such as "0" and "0.00" are not empty.
 */
export function withoutEmpty(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => !isEmpty(value))
      .map(([key, value]) => [key, Array.isArray(value) ? value.map(withoutEmpty) : value]),
  );
}

const isEmpty = (value: unknown): boolean =>
  value === null || value === undefined || value === '' || value === 0 || value === false || isEmptyList(value);
const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
