/** `npm run api`: the API alone. */
import { runAlone } from './alone.ts';
import { parts } from './parts.ts';

await runAlone({ start: parts.api, port: ({ port }) => ({ variable: 'PORT', port }) });
