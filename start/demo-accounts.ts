/** The demo merchant's accounts at the simulated providers: the two sides know of each other only what is public. */
import { generateKeyPairSync, createPublicKey, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { putMachineGateway } from '../db/machines.ts';
import { putProviderAccount } from '../db/merchants.ts';
import type { Database } from '../db/schema.ts';
import type { ProviderName } from '../domain/method.ts';
import type { SimulatedMerchant, Simulator } from '../simulator/server.ts';
import { newSecret } from '../wire/standard-webhooks.ts';
import { keepSecret } from './secrets.ts';
import { demoCertificate } from './demo-certificate.ts';
import { DEMO } from './seed.ts';

/** The demo merchant's own numbers and keys; made once, kept in the data folder. */
export function demoAccounts(dataDir: string) {
  const folder = join(dataDir, 'secrets');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const apiV3KeyFile = join(folder, 'demo-wechatpay-api-v3-key');
  const stripe = {
    secretKeyFile: join(folder, 'demo-stripe-secret-key'),
    webhookSecretFile: join(folder, 'demo-stripe-webhook-secret'),
  };
  const apiV3Key = keepSecret(apiV3KeyFile, () => randomBytes(16).toString('hex'));
  const secretFile = join(folder, 'demo-machines-secret');
  const secret = keepSecret(secretFile, newSecret);
  return {
    machines: { secret, secretFile },
    wechatpay: {
      mchid: '1900000109',
      appid: 'wxd678efh567hg6787',
      serialNo: '444F4864EA9B34415A5B5C5D5E5F606162636465',
      ...keptPair(join(folder, 'demo-wechatpay-private-key.pem')),
      apiV3Key,
      apiV3KeyFile,
    },
    alipay: {
      appId: '2021000000000001',
      sellerId: '2088101568338364',
      ...keptPair(join(folder, 'demo-alipay-private-key.pem')),
    },
    unionpay: { merId: '777290058110048', ...keptCertificate(folder) },
    stripe: {
      ...stripe,
      accountId: 'acct_demo',
      secretKey: keepSecret(stripe.secretKeyFile, () => `sk_test_${randomBytes(24).toString('hex')}`),
      webhookSecret: keepSecret(stripe.webhookSecretFile, () => `whsec_${randomBytes(24).toString('hex')}`),
    },
    paypal: demoPayPal(folder),
  };
}
export type DemoAccounts = ReturnType<typeof demoAccounts>;

function keptPair(privateKeyFile: string): { privateKeyFile: string; publicKeyPem: string } {
  const privateKey = keepSecret(
    privateKeyFile,
    () =>
      generateKeyPairSync('rsa', {
        modulusLength: 2048,
        privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
        publicKeyEncoding: { type: 'spki', format: 'pem' },
      }).privateKey,
  );
  return {
    privateKeyFile,
    publicKeyPem: createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }) as string,
  };
}

function keptCertificate(folder: string): { privateKeyFile: string; certificatePem: string } {
  const { privateKeyFile } = keptPair(join(folder, 'demo-unionpay-private-key.pem'));
  const make = () => demoCertificate(readFileSync(privateKeyFile, 'utf8'));
  return { privateKeyFile, certificatePem: keepSecret(join(folder, 'demo-unionpay-certificate.pem'), make) };
}

function demoPayPal(folder: string) {
  const clientSecretFile = join(folder, 'demo-paypal-client-secret');
  const clientSecret = keepSecret(clientSecretFile, () => randomBytes(40).toString('hex'));
  return {
    clientId: `DemoShop${'0'.repeat(72)}`,
    clientSecret,
    clientSecretFile,
    merchantId: 'DEMQSHQPPAYEE',
    webhookId: '1JE4291016473214C',
  };
}

/**
 * The accounts as the simulated providers know them.
 * @param publicUrl how providers that are told once, and not with each payment, reach us; null: they don't
 */
export function simulatedMerchants(
  { wechatpay, alipay, unionpay, stripe, paypal }: DemoAccounts,
  publicUrl: string | null,
): SimulatedMerchant[] {
  const { mchid, appid, serialNo, publicKeyPem, apiV3Key } = wechatpay;
  return [
    { mchid, appids: [appid], serialNo, publicKeyPem, apiV3Key },
    { alipayAppId: alipay.appId, sellerId: alipay.sellerId, publicKeyPem: alipay.publicKeyPem },
    { merId: unionpay.merId, certificatePem: unionpay.certificatePem },
    {
      stripeAccount: stripe.accountId,
      secretKey: stripe.secretKey,
      webhookUrl: publicUrl === null ? null : `${publicUrl}/webhooks/stripe/${DEMO.merchant}`,
      webhookSecrets: [stripe.webhookSecret],
    },
    {
      clientId: paypal.clientId,
      clientSecret: paypal.clientSecret,
      payeeId: paypal.merchantId,
      webhook:
        publicUrl === null ? null : { id: paypal.webhookId, url: `${publicUrl}/webhooks/paypal/${DEMO.merchant}` },
    },
  ];
}

/** Where the simulated providers are, and what each of them publishes: keys and certificates. */
export type PublishedBySimulator = Omit<Simulator, 'stop'>;

/** Tells the demo merchant's accounts what it knows of the simulated providers; its secrets stay in their files. */
export async function seedAccounts(
  db: Kysely<Database>,
  accounts: DemoAccounts,
  simulator: PublishedBySimulator,
): Promise<void> {
  for (const [provider, config] of Object.entries(storedAccounts(accounts, simulator)))
    await putProviderAccount(db, DEMO.merchant, provider as ProviderName, config);
  const url = `${simulator.url}/machines/${DEMO.merchant}/dispatches`;
  await putMachineGateway(db, DEMO.merchant, { url, secrets: [`file:${accounts.machines.secretFile}`] });
}

/** Whose machines the simulator has. */
export const simulatedMachineOwners = ({ machines: { secret } }: DemoAccounts) => [{ merchant: DEMO.merchant, secret }];

function storedAccounts(
  { wechatpay, alipay, unionpay, stripe, paypal }: DemoAccounts,
  simulator: PublishedBySimulator,
) {
  const { mchid, appid, serialNo, privateKeyFile, apiV3KeyFile } = wechatpay;
  const { platformPublicKeyId, platformPublicKeyPem } = simulator.wechatpay;
  return {
    wechatpay: {
      mchid,
      appid,
      serialNo,
      privateKey: `file:${privateKeyFile}`,
      apiV3Key: `file:${apiV3KeyFile}`,
      platformKeys: { [platformPublicKeyId]: platformPublicKeyPem },
      baseUrl: simulator.url,
    },
    alipay: {
      appId: alipay.appId,
      sellerId: alipay.sellerId,
      privateKey: `file:${alipay.privateKeyFile}`,
      alipayPublicKey: simulator.alipay.publicKeyPem,
      baseUrl: `${simulator.url}/gateway.do`,
    },
    unionpay: {
      merId: unionpay.merId,
      certificate: unionpay.certificatePem,
      privateKey: `file:${unionpay.privateKeyFile}`,
      rootCertificate: simulator.unionpay.rootCertificatePem,
      middleCertificate: simulator.unionpay.middleCertificatePem,
      baseUrl: simulator.url,
    },
    stripe: {
      accountId: stripe.accountId,
      secretKey: `file:${stripe.secretKeyFile}`,
      webhookSecret: `file:${stripe.webhookSecretFile}`,
      baseUrl: simulator.url,
    },
    paypal: {
      clientId: paypal.clientId,
      clientSecret: `file:${paypal.clientSecretFile}`,
      merchantId: paypal.merchantId,
      webhookId: paypal.webhookId,
      trustedCertificates: simulator.paypal.certificatePem,
      baseUrl: simulator.url,
    },
  } satisfies Partial<Record<ProviderName, object>>;
}
