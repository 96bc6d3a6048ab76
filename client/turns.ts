/** Lets at most so many tasks of one subject run at once; the others wait for their turn. */
export class Turns {
  readonly #limit: number;
  readonly #running = new Map<string, { count: number; waiting: (() => void)[] }>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  async take<T>(subject: string, task: () => Promise<T>): Promise<T> {
    const lane = this.#running.get(subject) ?? { count: 0, waiting: [] };
    this.#running.set(subject, lane);
    if (lane.count >= this.#limit) await new Promise<void>((resolve) => lane.waiting.push(resolve));
    else lane.count++;
    try {
      return await task();
    } finally {
      // The place is handed on, so that nobody slips in between.
      const next = lane.waiting.shift();
      if (next) next();
      else if (--lane.count === 0) this.#running.delete(subject);
    }
  }
}
