import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AlipayMerchantFields } from './alipay/merchant.ts';
import { PaypalMerchantFields } from './paypal/merchant.ts';
import type { SimulatorOptions } from './server.ts';
import { StripeMerchantFields } from './stripe/merchant.ts';
import { UnionpayMerchantFields } from './unionpay/merchant.ts';
import { WechatpayMerchantFields } from './wechatpay/merchant.ts';

const MachineOwnerFields = z.strictObject({
  merchant: z.string().regex(/^[\w.-]{1,100}$/),
  secret: z.string().regex(/^whsec_[A-Za-z0-9+/=]+$/, 'must be whsec_ and base64'),
});

const ConfigFile = z.strictObject({
  merchants: z
    .array(
      z.union([
        WechatpayMerchantFields.strict(),
        AlipayMerchantFields.strict(),
        UnionpayMerchantFields.strict(),
        StripeMerchantFields.strict(),
        PaypalMerchantFields.strict(),
      ]),
    )
    .min(1),
  machineOwners: z.array(MachineOwnerFields).optional(),
  publicUrl: z.url({ protocol: /^https?$/ }).optional(),
  noticeTimeScale: z.number().positive().optional(),
  allowLocalHttp: z.boolean().optional(),
});

type Environment = Record<string, string | undefined>;

/** Reads the options from the environment. Every error names the variable that is wrong. */
export async function readOptions(env: Environment): Promise<SimulatorOptions> {
  const path = env['SIMULATOR_CONFIG'];
  if (!path) throw new Error('SIMULATOR_CONFIG must name a JSON file with the merchants');
  const port = portOf(env['SIMULATOR_PORT'] || '3100');
  const { publicUrl, noticeTimeScale, allowLocalHttp, merchants, machineOwners } = await readConfig(path);
  return {
    port,
    dataDir: join(env['DATA_DIR'] || '.data', 'simulator'),
    merchants,
    ...(machineOwners !== undefined && { machineOwners }),
    ...(publicUrl !== undefined && { publicUrl }),
    ...(noticeTimeScale !== undefined && { noticeTimeScale }),
    ...(allowLocalHttp !== undefined && { allowLocalHttp }),
  };
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new Error(`SIMULATOR_PORT must be a port from 0 to 65535, not "${text}"`);
  return port;
}

async function readConfig(path: string): Promise<z.infer<typeof ConfigFile>> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new Error(`SIMULATOR_CONFIG: ${path} can't be read`, { cause });
  });
  const result = ConfigFile.safeParse(parsed(text, path));
  if (result.success) return result.data;
  throw new Error(`SIMULATOR_CONFIG: ${path}\n${z.prettifyError(result.error)}`);
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`SIMULATOR_CONFIG: ${path} is not JSON`, { cause });
  }
}
