/**
 * `part.ts api` or `part.ts worker`: what `npm run api` and `npm run worker` start, but with the liberties of the embedded
 * mode: a merchant's endpoint may be on this machine, and nobody's calls are counted.
 */
import { runAlone } from '../start/alone.ts';
import { parts } from '../start/parts.ts';

const start = process.argv[2] === 'api' ? parts.api : parts.worker;
await runAlone((around) => start({ ...around, ownsDatabase: true }));
