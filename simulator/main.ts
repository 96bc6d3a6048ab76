/**
 * Runs the simulator alone: `SIMULATOR_CONFIG=merchants.json npm run simulator`.
 * Prints what the merchant's side needs to know. Ctrl-C stops it; started again it goes on with the same books.
 */
import { readOptions } from './config.ts';
import { startSimulator } from './server.ts';

try {
  const { stop, ...published } = await startSimulator(await readOptions(process.env));
  console.log(JSON.stringify(published, null, 2));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
