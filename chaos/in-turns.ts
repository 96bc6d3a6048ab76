/** Does the same with each of a list, a few at a time. @returns in the list's order @throws what the first one did */
export async function inTurns<T, R>(list: readonly T[], atOnce: number, work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const entries = list.entries();
  const lane = async () => {
    for (const [index, one] of entries) results[index] = await work(one);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return results;
}
