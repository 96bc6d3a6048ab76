import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';

/** Reads a text that is made once and then kept for its owner only; without a folder it is made anew. */
export async function keptSecret(dataDir: string | null, file: string, make: () => Promise<string>): Promise<string> {
  if (dataDir === null) return make();
  const path = join(dataDir, file);
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const text = await make();
  await writeAtOnce(path, text);
  return text;
}

/** A crash leaves the whole file or none: half a key would stop every later start. */
async function writeAtOnce(path: string, text: string): Promise<void> {
  const handle = await open(`${path}.new`, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${path}.new`, path);
}
