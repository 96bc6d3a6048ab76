/** The demo merchant of the embedded mode: contract, section 1. */
import { generateKeyPairSync, createPublicKey, randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { putKey, putMerchant, putProviderAccount } from '../db/merchants.ts';
import { SCOPES, type Database, type Scope } from '../db/schema.ts';
import { METHODS, takesCurrency, type PaymentMethod } from '../domain/method.ts';
import { keepSecret } from './secrets.ts';

export const DEMO = { merchant: 'demo', apiKey: 'sk_test_demo', operatorKey: 'op_test_demo' } as const;

const OPERATOR_SCOPES: Scope[] = [
  'orders:read',
  'refunds:review',
  'payments:resolve',
  'deliveries:write',
  'notifications:write',
  'admin',
];

/** Merchant, API key and operator. May run again: what is there already stays. */
export async function seedMerchant(db: Kysely<Database>): Promise<void> {
  const settings = {
    four_eyes: true,
    on_delivery_failure: null,
    methods: (Object.keys(METHODS) as PaymentMethod[]).map((method) => ({
      method,
      currencies: ['CNY', ...(method === 'card.stripe' ? ['USD'] : [])].filter((one) => takesCurrency(method, one)),
    })),
  };
  await putMerchant(db, { id: DEMO.merchant, name: 'Demo Shop', settings });
  const common = { merchant: DEMO.merchant };
  await putKey(db, { ...common, id: 'key_demo', key: DEMO.apiKey, kind: 'api', name: 'Demo Shop', scopes: SCOPES });
  await putKey(db, {
    ...common,
    id: 'key_demo_operator',
    key: DEMO.operatorKey,
    kind: 'operator',
    name: 'Demo Operator',
    scopes: OPERATOR_SCOPES,
  });
}

/** The demo merchant's side of its provider accounts; made once, kept in the data folder. */
export function demoAccounts(dataDir: string) {
  const folder = join(dataDir, 'secrets');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const privateKeyFile = join(folder, 'demo-wechatpay-private-key.pem');
  const apiV3KeyFile = join(folder, 'demo-wechatpay-api-v3-key');
  const privateKey = keepSecret(
    privateKeyFile,
    () =>
      generateKeyPairSync('rsa', {
        modulusLength: 2048,
        privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
        publicKeyEncoding: { type: 'spki', format: 'pem' },
      }).privateKey,
  );
  const apiV3Key = keepSecret(apiV3KeyFile, () => randomBytes(16).toString('hex'));
  return {
    wechatpay: {
      mchid: '1900000109',
      appid: 'wxd678efh567hg6787',
      serialNo: '444F4864EA9B34415A5B5C5D5E5F606162636465',
      publicKeyPem: createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }) as string,
      apiV3Key,
      privateKeyFile,
      apiV3KeyFile,
    },
  };
}
export type DemoAccounts = ReturnType<typeof demoAccounts>;

/** What the demo merchant knows of the simulated WeChat Pay; its secrets stay in their files. */
export async function seedWechatPay(
  db: Kysely<Database>,
  { wechatpay }: DemoAccounts,
  platform: { url: string; publicKeyId: string; publicKeyPem: string },
): Promise<void> {
  const { mchid, appid, serialNo, privateKeyFile, apiV3KeyFile } = wechatpay;
  await putProviderAccount(db, DEMO.merchant, 'wechatpay', {
    mchid,
    appid,
    serialNo,
    privateKey: `file:${privateKeyFile}`,
    apiV3Key: `file:${apiV3KeyFile}`,
    platformKeys: { [platform.publicKeyId]: platform.publicKeyPem },
    baseUrl: platform.url,
  });
}

/** The same accounts as the simulated providers know them. */
export const simulatedMerchants = ({ wechatpay: { mchid, appid, serialNo, publicKeyPem, apiV3Key } }: DemoAccounts) => [
  { mchid, appids: [appid], serialNo, publicKeyPem, apiV3Key },
];
