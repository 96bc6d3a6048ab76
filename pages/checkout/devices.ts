import type { PaymentMethod } from '../../domain/method.ts';

/** Where a method can be used in a browser. */
type Place = 'everywhere' | 'desktop' | 'phone' | 'code' | 'nowhere';

/**
 * `code`: shown here, scanned with a phone. `nowhere`: a merchant's own app or till opens it, since it needs what no
 * browser has (the buyer's openid, a scanner).
 */
const PLACES: Record<string, Place> & Record<PaymentMethod, Place> = {
  'alipay.page': 'desktop',
  'alipay.wap': 'phone',
  'alipay.qr': 'code',
  'alipay.barcode': 'nowhere',
  'wechatpay.native': 'code',
  'wechatpay.jsapi': 'nowhere',
  'wechatpay.mini': 'nowhere',
  'wechatpay.h5': 'phone',
  'unionpay.gateway': 'desktop',
  'unionpay.wap': 'phone',
  'unionpay.qr': 'code',
  'card.stripe': 'everywhere',
  'paypal.checkout': 'everywhere',
};

export type Device = 'phone' | 'desktop';

/** By what browsers say of themselves; who is taken for the other still finds a code to scan. */
export function deviceOf(headers: { userAgent: string | undefined; mobileHint: string | undefined }): Device {
  if (headers.mobileHint === '?1') return 'phone';
  return /Mobi|Android|iPhone|iPad/i.test(headers.userAgent ?? '') ? 'phone' : 'desktop';
}

/** What to offer: on this device itself, and by a code for another one (on a desktop the codes come first). */
export function methodsFor<M extends { method: PaymentMethod }>(
  device: Device,
  methods: readonly M[],
): { here: M[]; elsewhere: M[] } {
  const at = (...places: Place[]) => methods.filter(({ method }) => places.includes(PLACES[method]));
  if (device === 'desktop') return { here: [...at('code'), ...at('desktop', 'everywhere')], elsewhere: [] };
  return { here: at('phone', 'everywhere'), elsewhere: at('code') };
}
