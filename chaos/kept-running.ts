import { setTimeout as sleep } from 'node:timers/promises';
import { signalProcess } from '../start/identity.ts';
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
  #isKilled = false;

  constructor(spec: ChildSpec) {
    this.#spec = spec;
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
    signalProcess(this.#child.pid, 'SIGKILL');
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#child?.stop();
    await this.#keeping;
  }

  async #keep(first: Child): Promise<void> {
    for (let child = first; ;) {
      await child.exited;
      if (this.#isStopping) return;
      if (!this.#isKilled) this.endedByItself += 1;
      this.#isKilled = false;
      await sleep(PAUSE_MS);
      if (this.#isStopping) return;
      this.#child = child = await spawnChild(this.#spec);
    }
  }
}
