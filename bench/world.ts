/** The outside of the system: a provider, a buyer who pays there, and a merchant's program that uses the API. */
import { connect } from '../db/connect.ts';
import { startSimulator } from '../simulator/server.ts';
import { DEMO, demoAccounts, seedMerchant, seedWechatPay, simulatedMerchants } from '../start/seed.ts';
import { openShop, type Shop } from './shop.ts';

export type World = {
  /** The merchant's program; with `keys`, each of its calls comes with an Idempotency-Key. */
  shopAt(apiUrl: string, options?: { keys?: boolean }): Shop;
  stop(): Promise<void>;
};

/** Starts the simulated provider, and makes it and the demo merchant known to each other in the database. */
export async function startWorld(databaseUrl: string, dataDir: string): Promise<World> {
  const accounts = demoAccounts(dataDir);
  const simulator = await startSimulator({ port: 0, dataDir: null, merchants: simulatedMerchants(accounts) });
  const db = connect(databaseUrl, { connections: 1 });
  try {
    await seedMerchant(db);
    const { platformPublicKeyId: publicKeyId, platformPublicKeyPem: publicKeyPem } = simulator.wechatpay;
    await seedWechatPay(db, accounts, { url: simulator.url, publicKeyId, publicKeyPem });
  } finally {
    await db.destroy();
  }
  return {
    shopAt: (apiUrl, { keys = false } = {}) =>
      openShop({ apiUrl, simulatorUrl: simulator.url, apiKey: DEMO.apiKey, keys }),
    stop: () => simulator.stop(),
  };
}
