import type { Kysely } from 'kysely';
import type { Logger } from 'pino';
import type { OrderGateway } from '../client/gateway.ts';
import type { Notifiers } from '../client/notifiers.ts';
import type { Database } from '../db/schema.ts';
import type { Sealer } from '../db/sealed.ts';
import type { OrderId } from '../domain/ids.ts';
import type { ProviderName } from '../domain/method.ts';
import type { MachineGateway } from '../devices/gateway.ts';
import { dispatchActivities } from './dispatches.ts';
import { doubtActivities } from './doubts.ts';
import { notificationActivities } from './notifications.ts';
import { paymentActivities, type ProviderFor } from './payments.ts';
import { reconciliationActivities } from './reconciliation.ts';
import { recordActivities } from './records.ts';
import { refundActivities } from './refunds.ts';
import { relayActivities } from './relay.ts';

export type Deps = {
  db: Kysely<Database>;
  sealer: Sealer;
  /** @throws AccountMissing if the merchant has no account there */
  provider: ProviderFor;
  gateway: OrderGateway;
  notifiers: Notifiers;
  /** Whether merchants' endpoints may be on this machine: in the embedded mode. */
  allowLoopback: boolean;
  /** @throws if the merchant has no machines */
  machines: (merchant: string) => Promise<MachineGateway>;
  /** Where a provider sends its notices about a merchant's payments, and machines their reports. */
  notifyUrl: (from: ProviderName | 'machines', merchant: string) => string;
  /** The page of ours that brings a buyer's browser to a provider by a form. */
  formUrl: (provider: ProviderName, merchant: string) => string;
  /** The page of ours that leads a buyer's browser on to where they asked for. @param buyer where that is kept */
  landingUrl: (buyer: string) => string;
  /** Where a buyer's browser goes after paying, unless they asked for another place. */
  returnUrl: (order: OrderId) => string;
  /** Epoch milliseconds. */
  now: () => number;
  log: Logger;
};

/** Everything that the workflows have done in the world. */
export const createActivities = (deps: Deps) => ({
  ...recordActivities(deps),
  ...paymentActivities(deps),
  ...refundActivities(deps),
  ...dispatchActivities(deps),
  ...relayActivities(deps),
  ...doubtActivities(deps),
  ...reconciliationActivities(deps),
  ...notificationActivities(deps),
});
export type Activities = ReturnType<typeof createActivities>;
