import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBooks } from '../../simulator/books.ts';
import { openJournal } from '../../simulator/journal.ts';
import type { Simulator } from '../../simulator/server.ts';
import type { Json } from './support.ts';
import {
  call,
  control,
  decrypted,
  eventually,
  faults,
  ledgerOf,
  MCHID,
  merchant,
  opened,
  pay,
  query,
  refund,
  shop,
  simulator,
  temporaryFolder,
} from './support.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

const kept = (options = {}) => simulator({ dataDir: folder.path, ...options });

describe('a restart', () => {
  it('keeps payments, refunds, ledger, codes and keys', async () => {
    const first = await kept();
    const paid = await opened(first, { attach: 'ord_1' });
    await pay(first, paid.outTradeNo);
    const given = await refund(first, paid.outTradeNo, 100);
    const open = await opened(first);
    const shut = await opened(first);
    await call(first, 'POST', `/v3/pay/transactions/out-trade-no/${shut.outTradeNo}/close`, { mchid: MCHID });
    await eventually(async () => expect(await ledgerOf(first, paid.outTradeNo)).toHaveLength(2));
    const before = (await control(first, 'GET', '/ledger')).json;
    await first.stop();

    const second = await kept({ port: Number(new URL(first.url).port) });
    expect(second.wechatpay).toEqual(first.wechatpay);
    expect((await control(second, 'GET', '/ledger')).json).toEqual(before);
    expect(await query(second, paid.outTradeNo)).toMatchObject({ trade_state: 'REFUND', attach: 'ord_1' });
    expect((await query(second, shut.outTradeNo))['trade_state']).toBe('CLOSED');
    const again = await refund(second, paid.outTradeNo, 100, { out_refund_no: given.json?.['out_refund_no'] });
    expect(again.json).toMatchObject({ status: 'SUCCESS', refund_id: given.json?.['refund_id'] });
    expect((await fetch(open.codeUrl)).status).toBe(200);
    expect((await pay(second, open.outTradeNo)).status).toBe(200);
    await second.stop();
  });

  it('goes on with notices that were not delivered', async () => {
    const merchantShop = await shop();
    merchantShop.answer = () => 500;
    const first = await kept({ noticeTimeScale: 0.01 });
    const { outTradeNo } = await opened(first, { notify_url: merchantShop.url });
    await pay(first, outTradeNo);
    // The next pause is long enough for the stop: an attempt that this cut short would not count.
    const before = 4;
    await eventually(async () => expect(await noticesOf(first)).toMatchObject([{ attempts: before }]));
    await first.stop();
    merchantShop.answer = () => 200;
    const second = await kept();
    await eventually(() => expect(merchantShop.received).toHaveLength(before + 1));
    expect(new Set(merchantShop.received.map(({ body }) => body)).size).toBe(1);
    const { json } = await control(second, 'GET', '/payments');
    await eventually(async () =>
      expect(await noticesOf(second)).toMatchObject([{ status: 'delivered', attempts: before + 1 }]),
    );
    expect(json['data']).toHaveLength(1);
    await second.stop();
    merchantShop.close();
  });

  it('does not count a delivery that the stop cut short', async () => {
    const merchantShop = await shop();
    merchantShop.answer = () => null;
    const first = await kept();
    const { outTradeNo } = await opened(first, { notify_url: merchantShop.url });
    await pay(first, outTradeNo);
    await eventually(() => expect(merchantShop.received).toHaveLength(1));
    const before = Date.now();
    await first.stop();
    expect(Date.now() - before).toBeLessThan(2000);
    merchantShop.answer = () => 204;
    const second = await kept();
    await eventually(async () => expect(await noticesOf(second)).toMatchObject([{ status: 'delivered', attempts: 1 }]));
    await second.stop();
    merchantShop.close();
  });

  it('settles refunds that were processing, and sends notices that were delayed', async () => {
    const merchantShop = await shop();
    const first = await kept();
    const { outTradeNo } = await opened(first, { notify_url: merchantShop.url });
    await faults(first, { delay_notices_ms: 3_600_000, refund_delay_ms: 600 });
    await pay(first, outTradeNo);
    await refund(first, outTradeNo, 100, { notify_url: merchantShop.url });
    await first.stop();
    expect(merchantShop.received).toHaveLength(0);
    const second = await kept();
    await eventually(() =>
      expect(merchantShop.received.map(({ json }) => json['event_type'])).toEqual([
        'TRANSACTION.SUCCESS',
        'REFUND.SUCCESS',
      ]),
    );
    expect(await ledgerOf(second, outTradeNo)).toHaveLength(2);
    await second.stop();
    merchantShop.close();
  });

  it('keeps the keys for their owner only', async () => {
    const first = await kept();
    await first.stop();
    for (const file of ['wechatpay-keys.json', 'books.jsonl']) {
      expect(((await stat(join(folder.path, file))).mode & 0o777).toString(8)).toBe('600');
    }
  });
});

async function noticesOf(sim: Simulator): Promise<unknown> {
  const { json } = await control(sim, 'GET', '/payments');
  return (json['data'] as Json[])[0]?.['notices'];
}

describe('kill -9', () => {
  let child: ChildProcess | undefined;
  afterEach(() => child?.kill('SIGKILL'));

  it('loses nothing that was answered', async () => {
    const merchantShop = await shop();
    const config = join(folder.path, 'merchants.json');
    await writeFile(config, JSON.stringify({ merchants: [merchant], noticeTimeScale: 0.001 }));
    const numbers: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const url = await started(config);
      const paying = Array.from({ length: 8 }, async () => {
        const { outTradeNo } = await opened({ url }, { notify_url: merchantShop.url });
        const { status } = await pay({ url }, outTradeNo);
        if (status === 200) numbers.push(outTradeNo);
      });
      await Promise.any([Promise.all(paying), eventually(() => expect(numbers.length).toBeGreaterThan(round * 8 + 2))]);
      child?.kill('SIGKILL');
      await Promise.allSettled(paying);
    }
    const url = await started(config);
    const { json } = await control({ url }, 'GET', '/ledger');
    const captured = (json['data'] as Json[]).map((row) => row['out_trade_no']);
    expect(captured).toEqual(expect.arrayContaining(numbers));
    expect(new Set(captured).size).toBe(captured.length);
    await eventually(() => {
      const told = merchantShop.received.map((notice) => decrypted(notice)['out_trade_no']);
      expect(told).toEqual(expect.arrayContaining(captured));
    });
    merchantShop.close();
  }, 60_000);

  /** The simulator as a process of its own, by its own entry point. */
  async function started(config: string): Promise<string> {
    child = spawn(process.execPath, ['--import', 'tsx', 'simulator/main.ts'], {
      env: { ...process.env, SIMULATOR_CONFIG: config, SIMULATOR_PORT: '0', DATA_DIR: folder.path },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout?.on('data', (part) => (output += String(part)));
    return eventually(() => (JSON.parse(output) as { url: string }).url, 20_000);
  }
});

describe('the journal', () => {
  const path = () => join(folder.path, 'journal.jsonl');
  const lines = async () => {
    const read: string[] = [];
    const journal = await openJournal(path(), (line) => read.push(line));
    return { read, journal };
  };

  it('cuts off half a line, and goes on behind the whole ones', async () => {
    await writeFile(path(), 'one\ntwo\nthr');
    const first = await lines();
    expect(first.read).toEqual(['one', 'two']);
    first.journal.append('three');
    await first.journal.close();
    expect(await readFile(path(), 'utf8')).toBe('one\ntwo\nthree\n');
  });

  it('has on disk what was flushed, in order', async () => {
    const { journal } = await lines();
    const flushed: Promise<void>[] = [];
    for (let count = 0; count < 100; count += 1) {
      journal.append(String(count));
      flushed.push(journal.flushed());
      if (count % 10 === 0) await Promise.resolve();
    }
    await Promise.all(flushed);
    const expected = Array.from({ length: 100 }, (_, count) => `${count}\n`).join('');
    expect(await readFile(path(), 'utf8')).toBe(expected);
    await journal.close();
  });

  it('promises nothing any more once a write failed', async () => {
    const { journal } = await lines();
    await journal.close();
    journal.append('too late');
    await expect(journal.flushed()).rejects.toThrow('could not be written');
    await expect(journal.flushed()).rejects.toThrow('could not be written');
  });

  it('says where it is damaged', async () => {
    await writeFile(join(folder.path, 'books.jsonl'), '{}\n{"payment"\n{}\n');
    await expect(openBooks(folder.path)).rejects.toThrow(/books\.jsonl is damaged in line 2/);
    await expect(kept()).rejects.toThrow(/damaged in line 2/);
  });

  it('opens books whose last line is torn', async () => {
    const first = await kept();
    const { outTradeNo } = await opened(first);
    await first.stop();
    await appendFile(join(folder.path, 'books.jsonl'), '{"payment":{"id":"wechat');
    const second = await kept();
    expect((await query(second, outTradeNo))['trade_state']).toBe('NOTPAY');
    await pay(second, outTradeNo);
    await second.stop();
    const third = await kept();
    expect((await query(third, outTradeNo))['trade_state']).toBe('SUCCESS');
    await third.stop();
  });
});
