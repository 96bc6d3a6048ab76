import { createSealer } from '../../db/sealed.ts';

/** For all parts of a test's system, in whatever process. */
export const SEALER = createSealer([{ id: 'k1', key: Buffer.alloc(32, 7) }]);
