/** `npm run api`: the API alone. */
import { runAlone } from './alone.ts';
import { parts } from './parts.ts';

await runAlone(parts.api);
