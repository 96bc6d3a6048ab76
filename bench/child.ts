/** A process of its own for the system that is measured, so that its CPU time is its own. Obeys `process.ts`. */
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { connectClient, connectNative, temporalAt } from '../client/connection.ts';
import { startBareWorker, type BareWorker } from './bare-worker.ts';
import type { Answer, Call, Calls } from './process.ts';
import { startSystem, type System } from './system.ts';

let system: System | undefined;
let bare: BareWorker | undefined;

const calls: Calls = {
  async start({ databaseUrl, temporalAddress }) {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    const temporal = temporalAt(temporalAddress);
    bare = await startBareWorker(await connectClient(temporal), await connectNative(temporal));
    system = await startSystem({ databaseUrl, temporalAddress });
    return system.url;
  },
  takeStatements: async () => system!.takeStatements(),
  runBare: (count, limit) => bare!.run(count, limit),
  async stop() {
    await system?.stop();
    await bare?.stop();
  },
};

async function answer({ id, name, args }: Call): Promise<Answer> {
  try {
    return { id, result: await (calls[name] as (...given: unknown[]) => Promise<unknown>)(...args) };
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

process.on('message', (call: Call) => void answer(call).then((answered) => process.send?.(answered)));
process.on('disconnect', () => process.exit(0)); // Whoever started us is gone.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {}); // Whoever started us ends us.
