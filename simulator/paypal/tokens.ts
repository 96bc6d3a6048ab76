import { randomBytes } from 'node:crypto';

const LIFE_SECONDS = 32_400;

/** Bearer tokens; a restart ends them all. */
export class Tokens {
  readonly #now: () => number;
  readonly #issued = new Map<string, { clientId: string; until: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  issue(clientId: string): { access_token: string; expires_in: number } {
    const token = `A21AA${randomBytes(48).toString('base64url')}`;
    this.#issued.set(token, { clientId, until: this.#now() + LIFE_SECONDS * 1000 });
    return { access_token: token, expires_in: LIFE_SECONDS };
  }

  /** Whose token it is; undefined for one that isn't good (any more). */
  ownerOf(token: string): string | undefined {
    const issued = this.#issued.get(token);
    return issued && issued.until > this.#now() ? issued.clientId : undefined;
  }
}
