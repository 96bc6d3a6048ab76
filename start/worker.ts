/** `npm run worker`: a worker alone. */
import { runAlone } from './alone.ts';
import { parts } from './parts.ts';

await runAlone(parts.worker);
