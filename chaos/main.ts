/** `npm run chaos`: whether the books agree, whatever breaks. See options.ts for what it understands. */
import type { Progress } from '../start/failure.ts';
import { runProgram } from '../start/program.ts';
import { HELP, readOptions, type Options } from './options.ts';
import { reportOf, summaryOf } from './report.ts';
import { leakFindings, openChaos, type Chaos } from './run.ts';

const began = Date.now();
const progress: Progress = (text) =>
  console.error(`${String(Math.round((Date.now() - began) / 1000)).padStart(4)} s  ${text}`);

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  const options = readOptions(args);
  if (!options.help) return chaos(options, signal);
  console.log(HELP);
  return 0;
}

async function chaos({ orders, seed }: Options, signal: AbortSignal): Promise<number> {
  progress(`${orders} orders, seed ${seed}`);
  const chaos = await openChaos({ orders, seed, progress, signal });
  let agrees = false;
  try {
    agrees = await judged(chaos, seed);
    return agrees ? 0 : 1;
  } finally {
    progress(agrees ? 'Stopping' : `Stopping. The logs stay in ${chaos.system.dataDir}/logs until the next run`);
    await chaos.stop({ keep: !agrees });
  }
}

async function judged(chaos: Chaos, seed: number): Promise<boolean> {
  await chaos.run();
  progress('Comparing');
  const verdict = await chaos.judge();
  const findings = [...verdict.findings, ...leakFindings(await chaos.published())];
  console.log(summaryOf(chaos, verdict));
  if (findings.length === 0) console.log(`All agrees (seed ${seed}).`);
  else console.log(`Seed ${seed}: ${reportOf(findings, verdict)}`);
  return findings.length === 0;
}

await runProgram(main);
