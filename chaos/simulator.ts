/** What buyers, machines and the network do at the providers' side: the simulator's control calls. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProviderName } from '../domain/method.ts';

/** Money that moved, as a provider writes it down. Amounts in minor units. */
export type BookEntry = {
  provider: ProviderName;
  out_trade_no: string;
  trade_no: string;
  type: 'capture' | 'refund';
  amount: number;
  currency: string;
  at: string;
};
export type PaymentThere = {
  provider: ProviderName;
  out_trade_no: string;
  order: string | null;
  status: string;
  refunds: { out_refund_no: string; amount: number; status: string }[];
  notices: { status: string }[];
};
export type Dispensed = {
  dispatch_id: string;
  order: string;
  item: string;
  dispensed: number;
  report: string;
  last_error: string | null;
};

export type Wish = { action: 'pay' | 'fail' | 'start' | 'cancel'; amount?: number; force?: boolean; url?: string };
export type MachineMode = { mode: 'dispense' | 'jam' | 'silent'; delay_ms?: number; reports?: number; item?: number };

export type Simulator = {
  /** @returns what it answered: 200, 404 unknown, 409 closed, 502 the page did not open */
  buyer(outTradeNo: string, wish: Wish): Promise<number>;
  machine(machineNo: string, mode: MachineMode): Promise<void>;
  tray(machineNo: string): Promise<Dispensed[]>;
  faults(settings: Record<string, unknown>): Promise<void>;
  noFaults(): Promise<void>;
  /** Statements of days that are not over are made, too. */
  statementsEarly(): Promise<void>;
  books(): Promise<BookEntry[]>;
  payments(): Promise<PaymentThere[]>;
};

const TRIES = 4;
const PAUSE_MS = 1_000;

export function simulatorAt(url: string): Simulator {
  const send = (path: string, init?: RequestInit) => fetch(`${url}/_control/${path}`, init);
  const post = (path: string, body: object) =>
    send(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const must = async (answer: Promise<Response>) => {
    const { ok, status, url: asked } = await answer;
    if (!ok) throw new Error(`${asked} answered ${status}`);
  };
  const list = async <T>(path: string) => ((await (await send(path)).json()) as { data: T[] }).data;
  return {
    /** A page of ours that is away is opened again, as people do. */
    async buyer(outTradeNo, wish) {
      for (let tries = 1; ; tries++) {
        const { status } = await post(`payments/${outTradeNo}`, wish);
        if (status !== 502 || tries === TRIES) return status;
        await sleep(PAUSE_MS);
      }
    },
    machine: (machineNo, mode) => must(post(`machines/${machineNo}`, mode)),
    tray: async (machineNo) =>
      ((await (await send(`machines/${machineNo}`)).json()) as { dispatches: Dispensed[] }).dispatches,
    faults: (settings) => must(post('faults', settings)),
    noFaults: () => must(send('faults', { method: 'DELETE' })),
    statementsEarly: () => must(post('statements', { early: true })),
    books: () => list('ledger'),
    payments: () => list('payments'),
  };
}
