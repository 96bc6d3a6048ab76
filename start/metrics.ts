import { collectDefaultMetrics, Registry } from 'prom-client';

/** What a process shows at its one `/metrics`: ours, Node's, and what something else in it counts by itself. */
export class ProcessMetrics extends Registry {
  readonly #others: (() => Promise<string>)[] = [];

  constructor() {
    super();
    collectDefaultMetrics({ register: this });
  }

  /** @param read in Prometheus' text form; what can't be read is left out, so that the rest is still shown */
  also(read: () => Promise<string>): void {
    this.#others.push(read);
  }

  override async metrics(): Promise<string> {
    const others = this.#others.map((read) => read().catch(() => ''));
    return (await Promise.all([super.metrics(), ...others])).join('\n');
  }
}
