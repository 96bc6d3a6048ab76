import { closeSync, mkdirSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const MAX_LOG_BYTES = 20_000_000;

/** Opens a log for appending (only its owner reads it); one that grew too long is set aside as `….1` first. */
export function openLogFile(path: string): { fd: number; close(): void } {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  setAsideIfLong(path);
  const fd = openSync(path, 'a', 0o600);
  return { fd, close: () => closeSync(fd) };
}

/** Renames a log above 20 MB, so that at most two such files are kept. */
function setAsideIfLong(path: string): void {
  if (sizeOf(path) > MAX_LOG_BYTES) renameSync(path, `${path}.1`);
}

/** Bytes; 0 when there is no such file. */
export function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** What was written to a log since it was `from` bytes long: at most its last 4 kB. */
export function readLogSince(path: string, from: number): string {
  const start = Math.max(from, sizeOf(path) - 4_096);
  const buffer = Buffer.alloc(Math.max(0, sizeOf(path) - start));
  const fd = openSync(path, 'r');
  try {
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, start)).trim();
  } finally {
    closeSync(fd);
  }
}
