import type { Lifecycle } from './env.ts';

/**
 * For work that no answer waits for, but the end of the server does.
 * @param work never rejects: it logs its own failures
 */
export function inBackground({ background }: Pick<Lifecycle, 'background'>, work: Promise<void>): void {
  background.add(work);
  void work.finally(() => background.delete(work));
}
