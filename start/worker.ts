/** `npm run worker`: a worker alone. */
import { runAlone } from './alone.ts';
import { parts } from './parts.ts';

await runAlone({ start: parts.worker, port: ({ workerPort }) => ({ variable: 'WORKER_PORT', port: workerPort }) });
