import { expect, it } from 'vitest';
import { stopAll } from '../../chaos/system.ts';

it('the servers are stopped last, whoever did not stop, and who did not is told', async () => {
  const stopped: string[] = [];
  const running = (name: string) => ({ stop: async () => void stopped.push(name) });
  const stuck = { stop: () => Promise.reject(new Error('can not be stopped')) };
  await expect(stopAll([stuck, running('worker')], running('servers'))).rejects.toThrow('can not be stopped');
  expect(stopped).toEqual(['worker', 'servers']);
});
