/** `npm start`: everything on this machine, until Ctrl-C. */
import { banner } from './banner.ts';
import { readConfig } from './config.ts';
import { startEverything, type Everything } from './everything.ts';
import { StartError, StoppedEarly } from './failure.ts';
import { parts } from './parts.ts';
import { forceChildren } from './processes.ts';

/** npm passes a Ctrl-C on to us, although the terminal has done so already: these two are one. */
const SAME_CTRL_C_MS = 1_000;
/** We promise 30 s. */
const STOP_WITHIN_MS = 29_000;

const say = (text: string) => console.log(text);

async function main(stop: AbortController): Promise<number> {
  let everything: Everything | undefined;
  try {
    const config = readConfig(process.env);
    everything = await startEverything({ config, env: process.env, parts, progress: say, signal: stop.signal });
    say(banner(everything.around));
    const broken = await Promise.race([everything.broken, stopped(stop.signal)]);
    if (broken !== null) say(`${broken}: see the logs in ${config.dataDir}/logs. Stopping.`);
    return broken === null ? 0 : 1;
  } catch (error) {
    if (error instanceof StoppedEarly) return 0;
    console.error(error instanceof StartError ? `\n${error.message}` : error);
    return 1;
  } finally {
    stop.abort();
    await everything?.stop();
  }
}

function stopped(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener('abort', () => resolve(null));
  });
}

/** SIGHUP: the terminal was closed. */
function listenForSignals(stop: AbortController): void {
  let first = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!first) {
        first = Date.now();
        say('\nStopping. Ctrl-C again ends everything at once.');
        stop.abort();
      } else if (signal === 'SIGINT' && Date.now() - first > SAME_CTRL_C_MS) endNow(130);
    });
  }
}

function endNow(code: number): never {
  forceChildren();
  process.exit(code);
}

/** A terminal that is gone takes no more text; that must not keep us from stopping well. */
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const stop = new AbortController();
stop.signal.addEventListener('abort', () => setTimeout(endNow, STOP_WITHIN_MS, 1).unref());
listenForSignals(stop);
const code = await main(stop);
if (code === 0) say('Stopped.');
process.exit(code);
