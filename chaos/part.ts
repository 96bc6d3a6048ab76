/**
 * `part.ts api` or `part.ts worker`: what `npm run api` and `npm run worker` start, but with the liberties of the embedded
 * mode: a merchant's endpoint may be on this machine, and nobody's calls are counted.
 */
import { runAlone } from '../start/alone.ts';
import { parts, type Surroundings } from '../start/parts.ts';

const embedded = (start: typeof parts.api) => (around: Surroundings) => start({ ...around, ownsDatabase: true });

await (process.argv[2] === 'api'
  ? runAlone({ start: embedded(parts.api), port: ({ port }) => ({ variable: 'PORT', port }) })
  : runAlone({ start: embedded(parts.worker), port: ({ workerPort: port }) => ({ variable: 'WORKER_PORT', port }) }));
