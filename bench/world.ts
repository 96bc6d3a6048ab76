/** The outside of the system: a provider, a buyer who pays there, and a merchant's program that uses the API. */
import { connect } from '../db/connect.ts';
import { startSimulator } from '../simulator/server.ts';
import { demoAccounts, seedAccounts, simulatedMerchants } from '../start/demo-accounts.ts';
import { DEMO, seedMerchant } from '../start/seed.ts';
import { openShop, type Shop } from './shop.ts';

export type World = {
  /** The merchant's program; with `keys`, each of its calls comes with an Idempotency-Key. */
  shopAt(apiUrl: string, options?: { keys?: boolean }): Shop;
  stop(): Promise<void>;
};

/** Starts the simulated provider, and makes it and the demo merchant known to each other in the database. */
export async function startWorld(databaseUrl: string, dataDir: string): Promise<World> {
  const accounts = demoAccounts(dataDir);
  const simulator = await startSimulator({ port: 0, dataDir: null, merchants: simulatedMerchants(accounts, null) });
  const db = connect(databaseUrl, { connections: 1 });
  try {
    await seedMerchant(db);
    await seedAccounts(db, accounts, simulator);
  } finally {
    await db.destroy();
  }
  return {
    shopAt: (apiUrl, { keys = false } = {}) =>
      openShop({ apiUrl, simulatorUrl: simulator.url, apiKey: DEMO.apiKey, keys }),
    stop: () => simulator.stop(),
  };
}
