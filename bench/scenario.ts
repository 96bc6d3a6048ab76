import type { Progress } from '../start/failure.ts';
import type { Bench } from './bench.ts';
import type { Options } from './options.ts';

/** What a scenario found: for programs, for people, and what is not as it should be. */
export type Outcome = { json: object; table: string; complaints: string[] };

/** Measures the whole running system. */
export type Scenario = (bench: Bench, options: Options, progress: Progress) => Promise<Outcome>;
/** Starts what it needs, and ends it again. */
export type Measurement = (options: Options, progress: Progress, signal: AbortSignal) => Promise<Outcome>;
