/** What WeChat Pay's ways to pay differ in (providers.md 2.1, 2.5, 2.6). */
import type { Buyer, PaymentMethod } from '../domain/method.ts';
import type { PaymentAction } from '../domain/order.ts';
import { ProviderError, type Attempt } from './provider.ts';
import { fieldOf } from './wechatpay-reports.ts';
import type { WechatPayAccount, WechatPayWire } from './wechatpay-wire.ts';

type Opened = {
  answer: unknown;
  appid: string;
  attempt: Attempt;
  wire: Pick<WechatPayWire, 'sign' | 'nonce'>;
  /** Epoch milliseconds. */
  now: number;
};

export type Opening = {
  /** The last part of the path. */
  path: string;
  appid: (account: WechatPayAccount) => string;
  /** Fields about the buyer. @throws ProviderError refused if one is missing */
  about: (buyer: Buyer) => object;
  /** What the buyer is shown. */
  action: (opened: Opened) => PaymentAction;
};

const payer = (buyer: Buyer) => ({ payer: { openid: given(buyer, 'payer_id') } });

export const OPENINGS: Record<Extract<PaymentMethod, `wechatpay.${string}`>, Opening> = {
  'wechatpay.native': {
    path: 'native',
    appid: ({ appid }) => appid,
    about: () => ({}),
    action: ({ answer }) => ({ type: 'qr', content: fieldOf(answer, 'code_url') }),
  },
  'wechatpay.jsapi': {
    path: 'jsapi',
    appid: ({ appid }) => appid,
    about: payer,
    action: bridgeParams,
  },
  'wechatpay.mini': {
    path: 'jsapi',
    appid: ({ appid, miniAppid }) => miniAppid ?? appid,
    about: payer,
    action: bridgeParams,
  },
  'wechatpay.h5': {
    path: 'h5',
    appid: ({ appid }) => appid,
    about: (buyer) => ({
      scene_info: { payer_client_ip: given(buyer, 'client_ip'), h5_info: { type: 'Wap' } },
    }),
    action: ({ answer, attempt }) => ({ type: 'redirect', url: withReturn(fieldOf(answer, 'h5_url'), attempt.buyer) }),
  },
};

/** What WeixinJSBridge or wx.requestPayment takes; the signature says that it is us who ask (providers.md 2.6). */
function bridgeParams({ answer, appid, wire, now }: Opened): PaymentAction {
  const [timeStamp, nonceStr] = [String(Math.floor(now / 1000)), wire.nonce()];
  const pack = `prepay_id=${fieldOf(answer, 'prepay_id')}`;
  const paySign = wire.sign(`${appid}\n${timeStamp}\n${nonceStr}\n${pack}\n`);
  return { type: 'app', params: { appId: appid, timeStamp, nonceStr, package: pack, signType: 'RSA', paySign } };
}

function withReturn(h5Url: string, { return_url }: Buyer): string {
  if (return_url === undefined) return h5Url;
  const url = new URL(h5Url);
  url.searchParams.set('redirect_url', return_url);
  return url.href;
}

function given(buyer: Buyer, field: 'payer_id' | 'client_ip'): string {
  const value = buyer[field];
  if (value !== undefined) return value;
  throw new ProviderError('refused', 'missing_buyer_field', `wechatpay: the method needs ${field}`);
}
