/** What a merchant's program and a buyer do, over HTTP. Connections are kept alive. */
import { randomUUID } from 'node:crypto';

export type Shop = {
  create(wanted: Wanted): Promise<CreatedOrder>;
  /** @returns the number by which the provider knows the payment */
  openPayment(order: string): Promise<string>;
  /** The buyer pays; the provider sends its notice. */
  pay(outTradeNo: string): Promise<void>;
  /** @param status delivered, if not said */
  report(order: string, item: string, status?: 'delivering' | 'delivered'): Promise<void>;
  receive(order: string): Promise<void>;
};

export type Wanted = {
  /** How many different items, one of each. */
  items: number;
  expiresInSeconds?: number;
};
export type CreatedOrder = { id: string; items: string[] };

type Places = {
  apiUrl: string;
  simulatorUrl: string;
  apiKey: string;
  /** Whether each call comes with an Idempotency-Key of its own. */
  keys: boolean;
};

export function openShop(places: Places): Shop {
  const { apiUrl, simulatorUrl } = places;
  const api = <T>(path: string, body: object) =>
    post<T>(`${apiUrl}/v1${path}`, body, {
      authorization: `Bearer ${places.apiKey}`,
      ...(places.keys && { 'idempotency-key': randomUUID() }),
    });
  return {
    async create(wanted) {
      const { id, items } = await api<{ id: string; items: { id: string }[] }>('/orders', orderOf(wanted));
      return { id, items: items.map((item) => item.id) };
    },
    openPayment: async (order) =>
      (await api<{ out_trade_no: string }>(`/orders/${order}/payments`, { method: 'wechatpay.native' })).out_trade_no,
    pay: (outTradeNo) => post(`${simulatorUrl}/_control/payments/${outTradeNo}`, { action: 'pay' }),
    report: (order, item, status = 'delivered') => api(`/orders/${order}/items/${item}/delivery`, { status }),
    receive: (order) => api(`/orders/${order}/receipt`, {}),
  };
}

const orderOf = ({ items, expiresInSeconds }: Wanted) => ({
  merchant_order_no: randomUUID(),
  currency: 'CNY',
  items: Array.from({ length: items }, (_, index) => ({
    sku: `tea-${index + 1}`,
    name: 'Green tea',
    quantity: 1,
    unit_amount: 1500,
    fulfilment: 'shipment',
  })),
  delivery: { name: 'Li Lei', phone: '+86 138 0013 8000', address: '1 Example Road, Hangzhou' },
  ...(expiresInSeconds !== undefined && { expires_in: expiresInSeconds }),
});

async function post<T>(url: string, body: object, headers: Record<string, string> = {}): Promise<T> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`POST ${new URL(url).pathname} answered ${answer.status}: ${text}`);
  return JSON.parse(text) as T;
}
