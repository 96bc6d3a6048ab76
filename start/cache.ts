import { accessSync, constants, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { messageOf, StartError } from './failure.ts';

/**
 * The folder that keeps what was downloaded or built once, for every checkout of this user; made when missing.
 * @throws StartError when it can't be written to.
 */
export function cacheFolder(env: NodeJS.ProcessEnv): string {
  const base = env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache');
  const folder = resolve(base, 'durable-orders');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new StartError(
      `The cache folder ${folder} can't be used (${messageOf(error)}): set XDG_CACHE_HOME to another.`,
    );
  }
  return folder;
}
