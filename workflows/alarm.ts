import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';

/** The order's one timer: set anew only when its moment changes. Epoch milliseconds. */
export class Alarm {
  #moment: number | null = null;
  #scope: CancellationScope | null = null;
  #rang = false;

  /** @param moment null: nothing is due by time alone */
  set(moment: number | null): void {
    if (moment === this.#moment) return;
    this.#scope?.cancel();
    this.#moment = moment;
    this.#scope = moment === null ? null : this.#wake(moment);
  }

  rang(): boolean {
    return this.#rang;
  }

  /** What was due by time is being looked into. */
  quiet(): void {
    this.#rang = false;
  }

  #wake(moment: number): CancellationScope {
    const scope = new CancellationScope();
    const nap = scope.run(() => sleep(Math.max(1, moment - Date.now()), { summary: 'Next thing due by time' }));
    nap
      .then(() => {
        this.#moment = null;
        this.#rang = true;
      })
      .catch((error: unknown) => {
        if (!isCancellation(error)) throw error;
      });
    return scope;
  }
}
