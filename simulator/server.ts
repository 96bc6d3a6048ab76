import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { Alarms } from './alarms.ts';
import type { AlipayMerchant } from './alipay/merchant.ts';
import type { AlipayPublicMaterial } from './alipay/provider.ts';
import { simulateAlipay } from './alipay/provider.ts';
import { openBooks } from './books.ts';
import type { Providers } from './control.ts';
import { controlRoutes } from './control.ts';
import { Faults } from './faults.ts';
import { Machines, type MachineOwner } from './machines/machines.ts';
import { machineControl, machineRoutes } from './machines/routes.ts';
import { Notices } from './notices.ts';
import type { PaypalMerchant } from './paypal/merchant.ts';
import type { PaypalPublicMaterial } from './paypal/provider.ts';
import { simulatePaypal } from './paypal/provider.ts';
import { pageRoutes } from './pages.ts';
import type { Desk, Env, SimulatorLog } from './provider.ts';
import type { ProviderName } from './records.ts';
import { createSettlements } from './settlements.ts';
import { Statements } from './statements.ts';
import type { StripeMerchant } from './stripe/merchant.ts';
import { simulateStripe } from './stripe/provider.ts';
import type { UnionpayMerchant } from './unionpay/merchant.ts';
import type { UnionpayPublicMaterial } from './unionpay/provider.ts';
import { simulateUnionpay } from './unionpay/provider.ts';
import type { WechatpayMerchant } from './wechatpay/merchant.ts';
import type { WechatpayPublicMaterial } from './wechatpay/provider.ts';
import { simulateWechatpay } from './wechatpay/provider.ts';

export type { AlipayMerchant } from './alipay/merchant.ts';
export type { AlipayPublicMaterial } from './alipay/provider.ts';
export type { PaypalMerchant } from './paypal/merchant.ts';
export type { SimulatorLog } from './provider.ts';
export type { StripeMerchant } from './stripe/merchant.ts';
export type { UnionpayMerchant } from './unionpay/merchant.ts';
export type { MachineOwner } from './machines/machines.ts';
export type { WechatpayMerchant } from './wechatpay/merchant.ts';
export type { WechatpayPublicMaterial } from './wechatpay/provider.ts';

/** Who uses the simulated providers: each provider has its own kind, told apart by how it names its number. */
export type SimulatedMerchant = WechatpayMerchant | AlipayMerchant | UnionpayMerchant | StripeMerchant | PaypalMerchant;

export type SimulatorOptions = {
  /** A loopback address; 127.0.0.1 by default. */
  host?: string;
  /** 0 takes any that is free. */
  port: number;
  /** How people reach it, for the URLs that it hands out; by default where it listens. */
  publicUrl?: string;
  /** Where books and keys are kept; null keeps them in memory only. */
  dataDir: string | null;
  merchants: readonly SimulatedMerchant[];
  /** Whose machines are simulated; by default nobody's. */
  machineOwners?: readonly MachineOwner[];
  /** The providers' retry pauses are multiplied by this; 0.1 by default, so 1.5 s instead of 15 s. */
  noticeTimeScale?: number;
  /** Whether notices may go to http addresses of this machine; true by default, the real ones want https. */
  allowLocalHttp?: boolean;
  now?: () => number;
  log?: SimulatorLog;
};

export type Simulator = {
  url: string;
  wechatpay: WechatpayPublicMaterial;
  alipay: AlipayPublicMaterial;
  unionpay: UnionpayPublicMaterial;
  paypal: PaypalPublicMaterial;
  stop(): Promise<void>;
};

const LOOPBACK = /^(127(\.\d{1,3}){3}|::1|localhost)$/;
const SILENT: SimulatorLog = { info: () => undefined, warn: () => undefined };

/** Starts the providers' side of the wire on one origin of this machine. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const {
    host = '127.0.0.1',
    port,
    dataDir,
    merchants,
    machineOwners = [],
    noticeTimeScale = 0.1,
    allowLocalHttp = true,
    log = SILENT,
  } = options;
  if (!LOOPBACK.test(host)) throw new Error(`the simulator listens on this machine only, not on ${host}`);
  const now = options.now ?? Date.now;
  const faults = new Faults(['wechatpay', 'alipay', 'unionpay', 'stripe', 'paypal']);
  const alarms = new Alarms(now);
  const books = await openBooks(dataDir);
  let url = '';
  const providerOf = (name: ProviderName) => providers[name];
  const notices = new Notices({ books, faults, alarms, now, log, timeScale: noticeTimeScale, providerOf });
  const settlements = createSettlements({
    books,
    alarms,
    now,
    settle: (refund) => providerOf(refund.provider).settle(refund),
  });
  const desk: Desk = {
    books,
    faults,
    statements: new Statements(books, now),
    now,
    origin: () => (options.publicUrl ?? url).replace(/\/+$/, ''),
    announce: (change, notice) => notices.announce(change, notice),
    settleLater: settlements.settleLater,
  };
  const machines = new Machines({ books, alarms, now, log, timeScale: noticeTimeScale, owners: machineOwners });
  const { providers, ...published } = await simulateProviders(desk, { dataDir, merchants, allowLocalHttp });
  const endFaults = () => {
    faults.end();
    notices.release();
    settlements.release();
  };
  const server = await listen(createApp({ desk, providers, machines, endFaults, log }), host, port).catch(
    async (error: unknown) => {
      await books.close();
      throw error;
    },
  );
  url = urlOf(host, server);
  notices.resume();
  settlements.resume();
  machines.resume();
  return {
    url,
    ...published,
    stop: async () => {
      alarms.stop();
      await closed(server);
      await notices.stop();
      await machines.stop();
      await books.close();
    },
  };
}

/** @returns the providers, and what each of them publishes: keys and certificates */
async function simulateProviders(
  desk: Desk,
  { dataDir, merchants, allowLocalHttp }: Pick<SimulatorOptions, 'dataDir' | 'merchants'> & { allowLocalHttp: boolean },
) {
  const place = { dataDir, mayNotifyLocalHttp: allowLocalHttp };
  const wechatpay = await simulateWechatpay(desk, { ...place, merchants: merchants.filter((each) => 'mchid' in each) });
  const alipay = await simulateAlipay(desk, { ...place, merchants: merchants.filter((each) => 'alipayAppId' in each) });
  const unionpay = await simulateUnionpay(desk, { ...place, merchants: merchants.filter((each) => 'merId' in each) });
  const stripe = simulateStripe(
    desk,
    merchants.filter((each) => 'stripeAccount' in each),
  );
  const paypal = await simulatePaypal(desk, { dataDir, merchants: merchants.filter((each) => 'clientId' in each) });
  const providers: Providers = { wechatpay, alipay, unionpay, stripe, paypal };
  return {
    providers,
    wechatpay: wechatpay.publicMaterial,
    alipay: alipay.publicMaterial,
    unionpay: unionpay.publicMaterial,
    paypal: paypal.publicMaterial,
  };
}

type Everything = { desk: Desk; providers: Providers; machines: Machines; endFaults: () => void; log: SimulatorLog };

function createApp({ desk, providers, machines, endFaults, log }: Everything): Hono<Env> {
  const app = new Hono<Env>();
  app.use(async (_c, next) => {
    await next();
    await desk.books.saved(); // No answer leaves before all that it may tell of is on disk.
  });
  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.route('/_control/machines', machineControl(desk, machines));
  app.route('/machines', machineRoutes(desk, machines));
  for (const { name, controls } of Object.values(providers)) if (controls) app.route(`/_control/${name}`, controls);
  app.route('/_control', controlRoutes({ desk, providers, endFaults }));
  app.route('/', pageRoutes(desk, providers));
  for (const provider of Object.values(providers)) app.route('/', provider.pages).route('/', provider.routes);
  app.notFound(() => new Response(null, { status: 404 }));
  app.onError((error, c) => {
    log.warn({ err: error, path: c.req.path }, 'the simulator failed');
    return c.body(null, 500);
  });
  return app;
}

function listen(app: Hono<Env>, hostname: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname, port }, () => resolve(server)) as Server;
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE';
      reject(
        isTaken
          ? new Error(`port ${port} of the simulator is already in use (SIMULATOR_PORT)`, { cause: error })
          : error,
      );
    });
  });
}

function urlOf(host: string, server: Server): string {
  const { port } = server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Open connections are cut: held answers would keep them for a minute. */
function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
