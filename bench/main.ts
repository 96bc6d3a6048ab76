/** `npm run bench`: what an order costs. See options.ts for what it understands. */
import type { Progress } from '../start/failure.ts';
import { runProgram } from '../start/program.ts';
import { openBench } from './bench.ts';
import { costScenario } from './cost-scenario.ts';
import { itemsScenario } from './items-scenario.ts';
import { HELP, readOptions, type Options } from './options.ts';
import { readsScenario } from './reads-scenario.ts';
import type { Measurement, Scenario } from './scenario.ts';
import { stoppedBy } from './stopping.ts';

const measurements: Record<Options['scenario'], Measurement> = {
  cost: onTheSystem(costScenario),
  items: onTheSystem(itemsScenario),
  reads: readsScenario,
};
const progress: Progress = (text) => console.error(text);

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const options = readOptions(args);
  if (!options.help) return run(options, signal);
  console.log(HELP);
  return 0;
}

async function run(options: Options, signal: AbortSignal): Promise<number> {
  const { json, table, complaints } = await measurements[options.scenario](options, progress, signal);
  console.log(options.json ? JSON.stringify(json) : table);
  for (const complaint of complaints) console.error(complaint);
  return complaints.length === 0 ? 0 : 1;
}

/** Until it is done, the system breaks, or somebody presses Ctrl-C. */
function onTheSystem(scenario: Scenario): Measurement {
  return async (options, _, signal) => {
    const bench = await openBench({ store: options.temporal, progress, signal });
    try {
      const work = scenario(bench, options, progress);
      work.catch(() => {}); // What it says after it was given up is of no interest.
      return await Promise.race([work, bench.system.ended, stoppedBy(signal)]);
    } finally {
      progress('Stopping');
      await bench.stop();
    }
  };
}

await runProgram(main);
