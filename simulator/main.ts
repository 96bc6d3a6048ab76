/**
 * Runs the simulator alone: `SIMULATOR_CONFIG=merchants.json npm run simulator`.
 * Prints what the merchant's side needs to know. Ctrl-C stops it; started again it goes on with the same books.
 */
import { readOptions } from './config.ts';
import { startSimulator } from './server.ts';

try {
  const simulator = await startSimulator(await readOptions(process.env));
  console.log(JSON.stringify(simulator, null, 2)); // What it can do is left out.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void simulator.stop());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
