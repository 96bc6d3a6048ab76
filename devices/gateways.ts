import { z } from 'zod';
import { keptAccounts, withSecrets, type Environment } from '../providers/accounts.ts';
import { realEdge } from '../providers/http.ts';
import type { MachineGateway } from './gateway.ts';
import { httpGateway } from './http.ts';

/**
 * How a merchant's machines are reached: its machine backend's address, and the secrets that both sides sign with, the
 * newest first; the second one is still good during a rotation.
 */
const Config = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  secrets: z.union([z.tuple([z.string()]), z.tuple([z.string(), z.string()])]),
});

export type GatewayConfig = z.infer<typeof Config>;
/** @throws z.ZodError naming the field that is wrong */
export const readGateway = (config: unknown): GatewayConfig => Config.parse(config);

/** @returns null if the merchant has no machines */
export type FindMachines = (merchant: string) => Promise<MachineGateway | null>;

/** The gateways of all merchants, made when first needed and kept for a moment. @param load reads a configuration */
export function machineGateways(load: (merchant: string) => Promise<unknown>, env: Environment): FindMachines {
  return keptAccounts(async (merchant) => {
    const config = await load(merchant);
    if (config === null || config === undefined) return null;
    const { url, secrets } = readGateway(withSecrets(config, env));
    return httpGateway(secrets, realEdge(url));
  });
}
