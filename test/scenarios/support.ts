import { expect } from 'vitest';
import { tea, type Answer, type TestApi } from '../api/support.ts';
import { control, until } from '../support/orders.ts';

type Reads = (order: any) => boolean;

/** What people do in a story, all of it from outside: over HTTP, and at the provider's simulator. */
export function storyOf(api: () => TestApi) {
  const read = async (id: string) => (await api().call(`GET /v1/orders/${id}`)).body;
  const books = async (outTradeNo: string): Promise<{ type: string; amount: number }[]> => {
    const { data } = (await (await fetch(`${api().system.simulator.url}/_control/ledger`)).json()) as { data: any[] };
    return data
      .filter((entry) => entry.out_trade_no === outTradeNo)
      .map(({ type, amount }: { type: string; amount: number }) => ({ type, amount }));
  };
  return {
    read,
    create: async (more = {}) => (await api().call('POST /v1/orders', tea(more))).body,
    open: (id: string): Promise<Answer> => api().call(`POST /v1/orders/${id}/payments`, { method: 'wechatpay.native' }),
    buyer: async (outTradeNo: string, does: Record<string, unknown>): Promise<void> => {
      expect((await control(api().system, outTradeNo, does)).status).toBe(200);
    },
    seen: (id: string, isSo: Reads, withinMs = 45_000) => until(() => read(id), isSo, withinMs),
    events: async (id: string): Promise<string[]> =>
      (await api().call(`GET /v1/orders/${id}/events?limit=100`)).body.data.map(({ type }: { type: string }) => type),
    /** Our ledger of the order and the provider's books of its attempts say the same (scenario 50). */
    booksAgree: async (id: string): Promise<{ captured: number; refunded: number }> => {
      const { payments } = await read(id);
      const theirs = (await Promise.all(payments.map((p: any) => books(p.out_trade_no)))).flat();
      const ours = await api()
        .system.db.selectFrom('ledger')
        .select(['type', 'amount'])
        .where('order_id', '=', id)
        .execute();
      const sorted = (rows: { type: string; amount: number }[]) =>
        rows.map(({ type, amount }) => `${type} ${amount}`).toSorted();
      expect(sorted(ours)).toEqual(sorted(theirs));
      const total = (type: string) =>
        theirs.filter((row) => row.type === type).reduce((sum, { amount }) => sum + amount, 0);
      return { captured: total('capture'), refunded: total('refund') };
    },
  };
}
