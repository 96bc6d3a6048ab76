import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { signedFen } from '../../providers/bill.ts';
import { alipayStatement } from '../../providers/alipay-statement.ts';
import type { AlipayWire } from '../../providers/alipay-wire.ts';
import { realEdge } from '../../providers/http.ts';
import { payPalStatement } from '../../providers/paypal-statement.ts';
import { ProviderError } from '../../providers/provider.ts';
import { stripeStatement } from '../../providers/stripe-statement.ts';
import type { StripeWire } from '../../providers/stripe-wire.ts';
import { unionPayStatement } from '../../providers/unionpay-statement.ts';
import type { UnionPayWire } from '../../providers/unionpay-wire.ts';
import { wechatPayStatement } from '../../providers/wechatpay-statement.ts';
import type { WechatPayWire } from '../../providers/wechatpay-wire.ts';

/** How adapters read bills that look like the real ones, and others: what the wire brings is given here. */
const DAY = '2026-06-05';
const refused = (code: string) => new ProviderError('refused', code, code);
const brief = (lines: Awaited<ReturnType<typeof payPalStatement>>) =>
  lines.map(({ type, reference, outTradeNo, amount, fee, isSettled }) => [
    type,
    reference,
    outTradeNo,
    amount,
    fee,
    isSettled,
  ]);

it.each([
  ['0.01', 1],
  ['-0.27000', -27],
  ['0.32000', 32],
  ['1.005', 101],
  ['88', 8800],
  ['0.004', 0],
  ['-0.00', 0],
  ['999999999999.99', 99_999_999_999_999],
  ['1,000.00', undefined],
  ['', undefined],
  ['x', undefined],
])('%s yuan are %s fen', (yuan, fen) => expect(signedFen(yuan)).toBe(fen));

describe('the bill of Alipay', () => {
  const HEADER =
    '支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注';
  const row = (type: string, name: string, money: string, refund: string, fee: string) =>
    `2026060522001419\t,T1\t,${type}\t,${name},2026-06-05 16:01:34,2026-06-05 16:01:38,\t,\t,\t,\t,**(156******89)\t,${money},${money},0.00,0.00,0.00,0.00,0.00,,0.00\t,0.00,${refund}\t,${fee},0.00,`;
  const read = (zip: Uint8Array | number, ask?: () => Promise<unknown>) =>
    alipayStatement(
      { ask: ask ?? (async () => ({ bill_download_url: 'http://127.0.0.1/x' })) } as unknown as AlipayWire,
      {
        ...realEdge('http://127.0.0.1'),
        fetch: async () =>
          typeof zip === 'number' ? new Response('', { status: zip }) : new Response(Buffer.from(zip)),
      },
      DAY,
    );
  it('is read whatever commas stand in names, until the details end; fees cost, or come back', async () => {
    // GBK and UTF-8 agree on ASCII only, so that the columns are named as bytes of GBK.
    const gbk = (text: string) => {
      const table = new Map<string, number[]>();
      for (let lead = 0x81; lead <= 0xfe; lead += 1)
        for (let trail = 0x40; trail <= 0xfe; trail += 1)
          table.set(new TextDecoder('gbk').decode(Uint8Array.of(lead, trail)), [lead, trail]);
      return Buffer.from(Array.from(text).flatMap((sign) => (sign < '\x80' ? [sign.charCodeAt(0)] : table.get(sign)!)));
    };
    const text = [
      '#支付宝业务明细查询',
      HEADER,
      row('交易', '茶,绿的,两盒', '30.00', '', '-0.18'),
      row('退款', '茶', '-7.00', 'R1', '0.04'),
      row('其它', '茶', '1.00', '', '0.00'),
      '#-----业务明细列表结束-----',
      '2026060522001419,T9,交易',
    ].join('\r\n');
    const zip = zipSync({ a: gbk('#支付宝业务汇总查询\r\n门店编号,门店名称'), b: gbk(text) });
    const lines = await read(zip);
    expect(brief(lines)).toEqual([
      ['capture', '2026060522001419', 'T1', 3000, 18, true],
      ['refund', 'R1', 'T1', 700, -4, true],
    ]);
    expect(new Date(lines[0]!.at!).toISOString()).toBe('2026-06-05T08:01:38.000Z');
  });
  it('that there is not says that nothing was sold; any other refusal is one', async () => {
    expect(await read(500, () => Promise.reject(refused('isp.bill_not_exist')))).toEqual([]);
    await expect(read(500, () => Promise.reject(refused('isv.invalid-app-id')))).rejects.toThrow('isv.invalid-app-id');
  });
  it('that is none is not taken for an empty one', async () => {
    await expect(read(404)).rejects.toMatchObject({ code: 'HTTP_404' });
    await expect(read(Buffer.from('<html>'))).rejects.toMatchObject({ code: 'malformed_statement' });
    await expect(read(zipSync({ a: Buffer.from('nothing') }))).rejects.toThrow('no file with the details');
    await expect(read(500, async () => ({ bill_download_url: 'file:///etc' }))).rejects.toThrow('no link');
  });
});

describe('the bill of WeChat Pay', () => {
  // Columns as in a merchant's real bill of 2024, numbers changed.
  const HEADER =
    '交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注';
  const SUMS =
    '总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n`4,`60.00,`50.00,`0.00,`4.33000,`60.00,`50.00';
  const paid =
    '`2026-06-05 10:06:33,`wx1,`1900,`0,`,`4201,`T1,`oX,`JSAPI,`SUCCESS,`OTHERS,`CNY,`60.00,`0.00,`0,`0,`0.00,`0.00,`,`,`茶, 绿的,`{"a":"b"},`0.32000,`0.54%,`60.00,`0.00,`';
  const refund = (number: string, state: string) =>
    `\`2026-06-05 16:47:58,\`wx1,\`1900,\`0,\`,\`4201,\`T1,\`oX,\`JSAPI,\`REFUND,\`OTHERS,\`CNY,\`0.00,\`0.00,\`50${number},\`${number},\`50.00,\`0.00,\`ORIGINAL,\`${state},\`茶,\`,\`-0.27000,\`0.54%,\`0.00,\`50.00,\``;
  const bill = (...lines: string[]) => Buffer.from([HEADER, ...lines].join('\r\n'));
  const sha1 = (file: Buffer) => createHash('sha1').update(file).digest('hex');
  const read = (file: Buffer, hash = sha1(file), asked: string[] = []) =>
    wechatPayStatement(
      {
        get: async () => ({
          hash_type: 'SHA1',
          hash_value: hash,
          download_url: 'https://elsewhere.example/v3/billdownload/file?token=x',
        }),
        download: async (_what: string, path: string) => {
          asked.push(path);
          return file;
        },
      } as unknown as WechatPayWire,
      DAY,
    );

  it('is read by its header, up to the sums; what is under way has not moved yet', async () => {
    const asked: string[] = [];
    const file = bill(paid, refund('R1', 'SUCCESS'), refund('R2', 'PROCESSING'), refund('R3', 'CHANGE'), SUMS);
    expect(brief(await read(file, undefined, asked))).toEqual([
      ['capture', '4201', 'T1', 6000, 32, true],
      ['refund', 'R1', 'T1', 5000, -27, true],
      ['refund', 'R2', 'T1', 5000, -27, false],
    ]);
    // Asked of WeChat Pay itself, whatever host the link names.
    expect(asked).toEqual(['/v3/billdownload/file?token=x']);
  });
  it('is refused where it was changed, cut off or has other columns', async () => {
    await expect(read(bill(paid, SUMS), sha1(Buffer.from('x')))).rejects.toThrow('not the file that was announced');
    await expect(read(bill(paid))).rejects.toThrow('cut off');
    await expect(read(bill(paid.slice(0, 80), SUMS))).rejects.toThrow('a line is malformed');
    await expect(read(Buffer.from('交易时间,商户号'))).rejects.toThrow('no column 微信订单号');
  });
  it.each([
    ['NO_STATEMENT_EXIST', []],
    ['STATEMENT_CREATING', 'statement_not_ready'],
  ])('answered with %s', async (code, comes) => {
    const wire = { get: () => Promise.reject(refused(code)) } as unknown as WechatPayWire;
    const answer = await wechatPayStatement(wire, DAY).catch((error: unknown) => (error as ProviderError).code);
    expect(answer).toEqual(comes);
  });
});

describe('the file of UnionPay', () => {
  const WIDTHS = [
    3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21, 15, 1, 15, 32, 13, 13,
    8, 32, 13, 13, 12, 2, 1, 32, 98,
  ];
  const line = (values: Record<number, string>) =>
    WIDTHS.map((width, index) => (values[index + 1] ?? '').padEnd(width)).join(' ');
  const read = (files: Record<string, string>, day = DAY, message: Record<string, string> = {}) =>
    unionPayStatement(
      {
        askForFile: async () => ({
          respCode: '00',
          fileContent: deflateSync(
            zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)]))),
          ).toString('base64'),
          ...message,
        }),
      } as unknown as UnionPayWire,
      day,
      Date.parse('2026-06-06T04:00:00Z'),
    );
  const paid = {
    5: '0605230501',
    7: '000000003000',
    10: '932606052305011234567',
    12: 'T1',
    16: 'D000000000018',
    20: '01',
  };
  const back = {
    5: '0606010000',
    7: '000000000700',
    10: '932606060100001234567',
    12: 'R1',
    16: 'C000000000004',
    20: '04',
    41: 'T1',
  };

  it('is read by columns of fixed width; disputes between banks stand in another one', async () => {
    const lines = await read({
      INN26060688ZM_777: `${line(paid)}\r\n${line(back)}\r\n${line({ 20: '00' })}\r\n`,
      INN26060688ZME_777: `${line(paid)}\r\n`,
    });
    expect(brief(lines)).toEqual([
      ['capture', '932606052305011234567', 'T1', 3000, 18, true],
      ['refund', 'R1', 'T1', 700, -4, true],
    ]);
    expect(new Date(lines[0]!.at!).toISOString()).toBe('2026-06-05T15:05:01.000Z');
  });
  it('of the first day of a year has times of the year before', async () => {
    const [one] = await read({ ZM_: line({ ...paid, 5: '1231231500' }) }, '2027-01-01');
    expect(new Date(one!.at!).toISOString()).toBe('2026-12-31T15:15:00.000Z');
  });
  it('that there is not says that nothing was settled; anything else that can not be read is an error', async () => {
    expect(await read({}, DAY, { respCode: '98' })).toEqual([]);
    await expect(read({}, DAY, { respCode: '11' })).rejects.toMatchObject({ code: '11' });
    await expect(read({ other: 'x' })).rejects.toThrow('no ZM file');
    await expect(read({ ZM_: line({ ...paid, 7: 'x' }) })).rejects.toThrow('a line is malformed');
    await expect(read({}, DAY, { fileContent: 'bm90IGRlZmxhdGVk' })).rejects.toThrow('not deflated');
  });
});

describe('the balance transactions of Stripe', () => {
  const read = (...transactions: object[]) =>
    stripeStatement(
      {
        ask: (_what: string, call: (stripe: unknown) => unknown) =>
          call({
            balanceTransactions: {
              async *list(wish: unknown) {
                expect(wish).toMatchObject({ created: { gte: 1_780_617_600, lt: 1_780_704_000 } });
                yield* transactions;
              },
            },
          }),
      } as unknown as StripeWire,
      DAY,
    );
  const about = (type: string, source: object | string | null) => ({
    id: `txn_${type}`,
    type,
    source,
    fee: 117,
    currency: 'eur',
    created: 1_780_650_000,
  });
  const refund = {
    object: 'refund',
    id: 're_1',
    amount: 700,
    currency: 'usd',
    metadata: { out_refund_no: 'R1', out_trade_no: 'T1' },
  };

  it("tell what was charged in the charge's own currency, and a refund that came back", async () => {
    const charge = {
      object: 'charge',
      payment_intent: 'pi_1',
      amount_captured: 3000,
      currency: 'usd',
      metadata: { out_trade_no: 'T1' },
    };
    const lines = await read(
      about('charge', charge),
      about('refund', refund),
      about('refund_failure', refund),
      about('payout', { object: 'payout' }),
      about('stripe_fee', null),
    );
    expect(brief(lines).map((line) => line.slice(0, 4))).toEqual([
      ['capture', 'pi_1', 'T1', 3000],
      ['refund', 'R1', 'T1', 700],
      ['refund', 'R1', 'T1', -700],
    ]);
    expect(lines[0]).toMatchObject({ currency: 'USD', fee: 117, feeCurrency: 'EUR' });
  });
  it.each([
    ['succeeded', true],
    ['pending', false],
    ['requires_action', false],
    ['failed', true],
    ['canceled', true],
  ])('tell of a refund that is %s: settled %s', async (status, isSettled) => {
    const [line] = await read(about('refund', { ...refund, status }));
    expect(line).toMatchObject({ isSettled });
  });
});

describe('the transactions of PayPal', () => {
  const info = (id: string, code: string, value: string, more = {}) => ({
    transaction_info: {
      transaction_id: id,
      transaction_event_code: code,
      transaction_status: 'S',
      transaction_initiation_date: '2026-06-05T10:00:00+0000',
      transaction_amount: { currency_code: 'USD', value },
      ...more,
    },
  });
  it('are read page by page; a refund is asked for its number', async () => {
    const pages = [
      [
        info('CAP1', 'T0006', '30.00', { custom_field: 'T1', fee_amount: { currency_code: 'USD', value: '-1.54' } }),
        info('X', 'T0006', '1.00', { transaction_status: 'D' }),
      ],
      [
        info('REF1', 'T1107', '-7.00', { custom_field: 'T1' }),
        info('REF2', 'T1107', '-1.00', { transaction_status: 'P' }),
        info('PAYOUT', 'T0400', '-9.00'),
        info('SENT', 'T0000', '-3.00'),
      ],
    ];
    const lines = await payPalStatement(
      {
        get: async (_what: string, path: string) => {
          if (path === '/v2/payments/refunds/REF1') return { custom_id: 'R1' };
          if (path === '/v2/payments/refunds/REF2') throw refused('RESOURCE_NOT_FOUND');
          const query = new URL(path, 'http://x').searchParams;
          expect([query.get('start_date'), query.get('end_date')]).toEqual([
            '2026-06-05T00:00:00Z',
            '2026-06-05T23:59:59.999Z',
          ]);
          return { transaction_details: pages[Number(query.get('page')) - 1], total_pages: 2 };
        },
      } as never,
      DAY,
    );
    expect(brief(lines)).toEqual([
      ['capture', 'CAP1', 'T1', 3000, 154, true],
      ['refund', 'R1', null, 700, 0, true],
      ['refund', 'REF2', null, 100, 0, false],
    ]);
    expect(new Date(lines[0]!.at!).toISOString()).toBe('2026-06-05T10:00:00.000Z');
  });
});
