/** `npm run chaos`: whether the books agree, whatever breaks. See options.ts for what it understands. */
import { StartError, StoppedEarly, type Progress } from '../start/failure.ts';
import { forceChildren } from '../start/processes.ts';
import { HELP, readOptions, UsageError, type Options } from './options.ts';
import { reportOf, summaryOf } from './report.ts';
import { leakFindings, openChaos, type Chaos } from './run.ts';

const SAME_CTRL_C_MS = 1_000;
const began = Date.now();
const progress: Progress = (text) =>
  console.error(`${String(Math.round((Date.now() - began) / 1000)).padStart(4)} s  ${text}`);

async function main(args: readonly string[], signal: AbortSignal): Promise<number> {
  try {
    const options = readOptions(args);
    if (!options.help) return await chaos(options, signal);
    console.log(HELP);
    return 0;
  } catch (error) {
    if (error instanceof StoppedEarly || signal.aborted) return 130;
    const isPlain = error instanceof UsageError || error instanceof StartError;
    console.error(isPlain ? error.message : error);
    return error instanceof UsageError ? 2 : 1;
  }
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
  progress('All is quiet: comparing');
  const verdict = await chaos.judge();
  const findings = [...verdict.findings, ...leakFindings(await chaos.published())];
  console.log(summaryOf(chaos, verdict));
  if (findings.length === 0) console.log(`All agrees (seed ${seed}).`);
  else console.log(`Seed ${seed}: ${reportOf(findings, verdict)}`);
  return findings.length === 0;
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
