import { readFileSync } from 'node:fs';
import { putProviderAccount } from '../../db/merchants.ts';
import { CERT_SERIAL, keys, noticeBody, signed } from '../providers/wechatpay-peer.ts';
import { MCHID, APPID } from '../simulator/support.ts';
import type { System } from '../support/system.ts';
import type { Letter } from './letterbox.ts';

/**
 * WeChat Pay itself, in the test's hand: it signs with a key that the account trusts beside the simulator's, and says
 * what a platform says only rarely.
 */
export type Platform = {
  /** A genuine notice: it verifies, whatever it says. */
  letter(says: Saying): Omit<Letter, 'answered'>;
};

type Saying = {
  event?: string;
  /** What is said, to be encrypted. */
  content: Record<string, unknown>;
  /** Of the notice itself. */
  id?: string;
  /** Epoch seconds; now if not given. */
  signedAt?: number;
};

let letters = 0;

export async function trustedPlatform({ db }: System): Promise<Platform> {
  const { config } = await db.selectFrom('provider_accounts').select('config').executeTakeFirstOrThrow();
  const account = config as Record<string, string> & { platformKeys: Record<string, string> };
  const platformKeys = { ...account.platformKeys, [CERT_SERIAL]: keys.wechat_platform_cert.cert_pem };
  await putProviderAccount(db, 'demo', 'wechatpay', { ...account, platformKeys });
  const apiV3Key = readFileSync(account['apiV3Key']!.slice('file:'.length), 'utf8').trim();
  return {
    letter: ({ event = 'TRANSACTION.SUCCESS', content, id = `EV-${letters++}`, signedAt = Date.now() / 1000 }) => {
      const body = noticeBody(content, { event, apiV3Key, change: (envelope) => ({ ...envelope, id }) });
      const headers = { 'content-type': 'application/json', ...signed(body, { timestamp: Math.floor(signedAt) }) };
      return { path: '/webhooks/wechatpay/demo', headers, body };
    },
  };
}

/** A payment's success, as a notice carries it. */
export const success = (payment: { out_trade_no: string; amount: number }, changes: object = {}) => ({
  appid: APPID,
  mchid: MCHID,
  out_trade_no: payment.out_trade_no,
  transaction_id: `42000000${payment.out_trade_no}`.slice(0, 32),
  trade_state: 'SUCCESS',
  success_time: new Date().toISOString(),
  amount: { total: payment.amount, currency: 'CNY' },
  ...changes,
});

/** How a refund ended, as a notice carries it. */
export const refundEnded = (
  payment: { out_trade_no: string },
  refund: { out_refund_no: string },
  status: 'SUCCESS' | 'CLOSED',
  changes: object = {},
) => ({
  event: `REFUND.${status}`,
  content: {
    mchid: MCHID,
    out_trade_no: payment.out_trade_no,
    out_refund_no: refund.out_refund_no,
    refund_status: status,
    ...(status === 'SUCCESS' && { success_time: new Date().toISOString() }),
    ...changes,
  },
});
