import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** The secret kept in a file that only its owner can read; made the first time, and on disk before it is used. */
export function keepSecret(file: string, make: () => string): string {
  if (!existsSync(file)) writeSecret(file, make());
  return readFileSync(file, 'utf8').trim();
}

/** There is never half a secret under this name: it is written beside, then renamed. */
function writeSecret(file: string, secret: string): void {
  const draft = `${file}.${process.pid}`;
  const fd = openSync(draft, 'w', 0o600);
  writeSync(fd, `${secret}\n`);
  fsyncSync(fd);
  closeSync(fd);
  renameSync(draft, file);
  syncFolder(dirname(file));
}

function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  fsyncSync(fd);
  closeSync(fd);
}
