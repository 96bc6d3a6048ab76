/** `npm run bench`: what an order costs. See options.ts for what it understands. */
import type { Progress } from '../start/failure.ts';
import { runProgram } from '../start/program.ts';
import { openBench, type Bench } from './bench.ts';
import { costScenario } from './cost-scenario.ts';
import { itemsScenario } from './items-scenario.ts';
import { HELP, readOptions, type Options } from './options.ts';
import type { Scenario } from './scenario.ts';
import { stoppedBy } from './stopping.ts';

const scenarios: Record<Options['scenario'], Scenario> = { cost: costScenario, items: itemsScenario };
const progress: Progress = (text) => console.error(text);

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const options = readOptions(args);
  if (!options.help) return run(options, signal);
  console.log(HELP);
  return 0;
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

await runProgram(main);
