import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../start/failure.ts';
import { spawnChild, type Child, type ChildSpec } from '../start/processes.ts';

const PAUSE_MS = 500;

/** A process that is started again whenever it ends, as an orchestrator does it. */
export class KeptRunning {
  readonly #spec: ChildSpec;
  #child: Child | undefined;
  #isStopping = false;
  #keeping: Promise<void> | undefined;
  /** How often it ended without having been killed by us. */
  endedByItself = 0;
  /** Each time that it did so although it had all that it needs, or could not be started again, in words. */
  readonly endedWrongly: string[] = [];
  readonly #hasAll: () => boolean;
  #isKilled = false;

  /** @param hasAll whether all is there that it can't do without */
  constructor(spec: ChildSpec, hasAll: () => boolean) {
    this.#spec = spec;
    this.#hasAll = hasAll;
  }

  /** @throws StartError when the command can't be run */
  async start(): Promise<void> {
    this.#child = await spawnChild(this.#spec);
    this.#keeping = this.#keep(this.#child);
  }

  /** With -9, in the midst of whatever it does. */
  kill(): void {
    if (!this.#child || this.#child.hasExited()) return;
    this.#isKilled = true;
    void this.#child.kill();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#child?.stop();
    await this.#keeping;
  }

  #note(how: string): void {
    this.endedByItself += 1;
    if (this.#hasAll())
      this.endedWrongly.push(`${this.#spec.name} ended by itself (${how}) while both servers were up`);
  }

  async #keep(first: Child): Promise<void> {
    for (let child = first; ;) {
      const how = await child.exited;
      if (this.#isStopping) return;
      if (!this.#isKilled) this.#note(how);
      this.#isKilled = false;
      await sleep(PAUSE_MS);
      if (this.#isStopping) return;
      try {
        this.#child = child = await spawnChild(this.#spec);
      } catch (error) {
        this.endedWrongly.push(messageOf(error));
        return;
      }
    }
  }
}
