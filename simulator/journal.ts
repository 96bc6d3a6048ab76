import type { FileHandle } from 'node:fs/promises';
import { open, readFile } from 'node:fs/promises';

/** Where the books are written down, one line per change. */
export type Journal = {
  append(line: string): void;
  /** Resolves once every line appended before is on disk. */
  flushed(): Promise<void>;
  close(): Promise<void>;
};

/** For books that live in memory only. */
export function memoryJournal(): Journal {
  return { append: () => undefined, flushed: async () => undefined, close: async () => undefined };
}

/** Reads what the file holds, line by line, and goes on writing behind it. */
export async function openJournal(path: string, read: (line: string) => void): Promise<Journal> {
  const handle = await open(path, 'a', 0o600);
  try {
    await replay(path, handle, read);
  } catch (error) {
    await handle.close();
    throw error;
  }
  return new FileJournal(handle);
}

/** A killed process may leave half a line behind. Nobody was told of it, so it is cut off. */
async function replay(path: string, handle: FileHandle, read: (line: string) => void): Promise<void> {
  const content = await readFile(path);
  const end = content.lastIndexOf('\n') + 1;
  if (end < content.length) await handle.truncate(end);
  const lines = content.subarray(0, end).toString('utf8').split('\n').slice(0, -1);
  for (const [index, line] of lines.entries()) {
    try {
      read(line);
    } catch (error) {
      throw new Error(`${path} is damaged in line ${index + 1}; move it away to start with empty books`, {
        cause: error,
      });
    }
  }
}

/** Lines that come while the disk is busy are written together, so that many answers share one fsync. */
class FileJournal implements Journal {
  readonly #handle: FileHandle;
  #waiting: string[] = [];
  #appended = 0;
  #durable = 0;
  #flushing: Promise<void> | undefined;
  /** Once a write failed nothing is promised any more: every answer fails until a restart. */
  #broken: { cause: unknown } | undefined;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  append(line: string): void {
    this.#waiting.push(`${line}\n`);
    this.#appended += 1;
  }

  async flushed(): Promise<void> {
    const target = this.#appended;
    while (this.#durable < target) {
      if (this.#broken) throw new Error('the books could not be written', this.#broken);
      await (this.#flushing ??= this.#flush());
    }
  }

  async close(): Promise<void> {
    try {
      await this.flushed();
    } finally {
      await this.#handle.close();
    }
  }

  async #flush(): Promise<void> {
    const lines = this.#waiting;
    this.#waiting = [];
    try {
      await this.#handle.appendFile(lines.join(''));
      await this.#handle.datasync();
      this.#durable += lines.length;
    } catch (cause) {
      this.#broken = { cause };
    } finally {
      this.#flushing = undefined;
    }
  }
}
