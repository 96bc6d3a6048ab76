/** What may be logged of an error: a database's error also carries the values of the row it is about. */
export function described(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: typeof error };
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  return {
    type: name,
    message,
    stack,
    ...(code !== undefined && { code }),
    ...(cause ? { cause: described(cause) } : {}),
  };
}
