/** Node's timers fire at once when asked to wait longer than this. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** Things to be done at a time. Each has a name; setting it again moves it. */
export class Alarms {
  readonly #now: () => number;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #isStopped = false;

  constructor(now: () => number) {
    this.#now = now;
  }

  set(name: string, at: number, ring: () => void): void {
    this.clear(name);
    if (this.#isStopped) return;
    const wait = Math.max(0, at - this.#now());
    const timer =
      wait > LONGEST_TIMER_MS
        ? setTimeout(() => this.set(name, at, ring), LONGEST_TIMER_MS)
        : setTimeout(() => this.#ring(name, ring), wait);
    this.#timers.set(name, timer.unref());
  }

  clear(name: string): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  stop(): void {
    this.#isStopped = true;
    for (const name of this.#timers.keys()) this.clear(name);
  }

  #ring(name: string, ring: () => void): void {
    this.#timers.delete(name);
    ring();
  }
}
