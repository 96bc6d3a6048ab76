/** `npm run bench`: what an order costs. See options.ts for what it understands. */
import { StartError, StoppedEarly, type Progress } from '../start/failure.ts';
import { forceChildren } from '../start/processes.ts';
import { openBench, type Bench } from './bench.ts';
import { costScenario } from './cost-scenario.ts';
import { itemsScenario } from './items-scenario.ts';
import { HELP, readOptions, UsageError, type Options } from './options.ts';
import type { Scenario } from './scenario.ts';
import { stoppedBy } from './stopping.ts';

const scenarios: Record<Options['scenario'], Scenario> = { cost: costScenario, items: itemsScenario };
const SAME_CTRL_C_MS = 1_000;
const progress: Progress = (text) => console.error(text);

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  try {
    const options = readOptions(args);
    if (!options.help) return await run(options, signal);
    console.log(HELP);
    return 0;
  } catch (error) {
    if (error instanceof StoppedEarly) return 130;
    const isPlain = error instanceof UsageError || error instanceof StartError;
    console.error(isPlain ? error.message : error);
    return error instanceof UsageError ? 2 : 1;
  }
}

async function run(options: Options, signal: AbortSignal): Promise<number> {
  const bench = await openBench({ store: options.temporal, progress, signal });
  try {
    const { json, table, complaints } = await underWay(bench, options, signal);
    console.log(options.json ? JSON.stringify(json) : table);
    for (const complaint of complaints) console.error(complaint);
    return complaints.length === 0 ? 0 : 1;
  } finally {
    progress('Stopping');
    await bench.stop();
  }
}

/** Until it is done, the system breaks, or somebody presses Ctrl-C. */
async function underWay(bench: Bench, options: Options, signal: AbortSignal) {
  const work = scenarios[options.scenario](bench, options, progress);
  work.catch(() => {}); // What it says after it was given up is of no interest.
  return Promise.race([work, bench.system.ended, stoppedBy(signal)]);
}

/** The first Ctrl-C stops in order, a second one at once. npm passes one on that the terminal sent us already. */
function listenForSignals(stop: AbortController): void {
  let first = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      first ||= Date.now();
      stop.abort();
      if (signal !== 'SIGINT' || Date.now() - first < SAME_CTRL_C_MS) return;
      forceChildren();
      process.exit(130);
    });
  }
}

const stop = new AbortController();
listenForSignals(stop);
process.exit(await main(process.argv.slice(2), stop.signal));
