import { randomBytes } from 'node:crypto';

/** Files that are handed out by a link which is good for a short while. */
export class Links<T> {
  readonly #now: () => number;
  readonly #lifeMs: number;
  readonly #files = new Map<string, { file: T; until: number }>();

  constructor(now: () => number, lifeMs: number) {
    this.#now = now;
    this.#lifeMs = lifeMs;
  }

  /** @returns what goes into the link */
  make(file: T): string {
    for (const [token, { until }] of this.#files) if (until < this.#now()) this.#files.delete(token);
    const token = randomBytes(24).toString('base64url');
    this.#files.set(token, { file, until: this.#now() + this.#lifeMs });
    return token;
  }

  /** undefined for a link that isn't good (any more). */
  find(token: string): T | undefined {
    const found = this.#files.get(token);
    return found && found.until >= this.#now() ? found.file : undefined;
  }
}
