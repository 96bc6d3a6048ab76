import { expect, it } from 'vitest';
import { timeSkippingEnvironment } from './test-server.ts';

it('skips time', async () => {
  const env = await timeSkippingEnvironment();
  try {
    const [before, began] = [await env.currentTimeMs(), Date.now()];
    await env.sleep('30 days');
    expect((await env.currentTimeMs()) - before).toBeGreaterThanOrEqual(30 * 86_400_000);
    expect(Date.now() - began).toBeLessThan(10_000);
  } finally {
    await env.teardown();
  }
});
