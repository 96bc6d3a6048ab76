import { describe, expect, it } from 'vitest';
import { VendingFailure } from '../../../api/vending/failures.ts';
import { checkTime, readOrdering, readQuery } from '../../../api/vending/payload.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const base64 = (content: unknown) =>
  Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)).toString('base64');
const body = (content: unknown) => bytes(JSON.stringify({ payload: base64(content) }));
const query = { machine_no: '16327129', timestamp: '1714115742' };
const ordering = {
  ...query,
  trade_id: '3f2a58ad69b74e86b8a1a3da6fd75cc1',
  products: [{ product_id: 121, quantity: 1, price: '1.00' }],
};
const isInvalid = (read: () => unknown) => {
  expect(read).toThrow(VendingFailure);
  expect(read).toThrow('参数错误');
};
/** The ordering with one product changed. */
const product = (change: Record<string, unknown>) => ({
  ...ordering,
  products: [{ ...ordering.products[0], ...change }],
});

describe('a payload', () => {
  it('is read as the source encodes it', () => {
    // The head of the source's own example: {"machine_no":"16327129",…
    expect(base64(query).startsWith('eyJtYWNoaW5lX25vIjoiMTYzMjcxMjki')).toBe(true);
    expect(readQuery(body(query))).toEqual({ machine_no: '16327129', timestamp: 1_714_115_742 });
  });

  it('may hold fields that nobody knows, beside it, in it and in its products', () => {
    const content = { ...product({ colour: 'red' }), status: 2 };
    const read = readOrdering(bytes(JSON.stringify({ payload: base64(content), v: 1 })));
    expect(read.products).toEqual([{ product_id: 121, quantity: 1, price: 100 }]);
    expect(read).not.toHaveProperty('status');
  });

  it.each([
    ['nothing', ''],
    ['no JSON', 'payload=abc'],
    ['no object', '"abc"'],
    ['null', 'null'],
    ['no payload', '{}'],
    ['an empty payload', '{"payload":""}'],
    ['a payload that is no text', '{"payload":{}}'],
    ['no base64', '{"payload":"%%%%"}'],
    ['base64 with a line break', `{"payload":"${base64(query).slice(0, 8)}\\n${base64(query).slice(8)}"}`],
    [
      'base64 cut short',
      JSON.stringify({
        payload: base64({ ...query, a: 1 })
          .replace(/=*$/, '')
          .slice(0, -1),
      }),
    ],
    ['no JSON inside', JSON.stringify({ payload: base64('machine_no=16327129') })],
    ['a list inside', JSON.stringify({ payload: base64([query]) })],
    ['no UTF-8 inside', JSON.stringify({ payload: Buffer.from([0x22, 0xff, 0x22]).toString('base64') })],
  ])('that is %s is refused', (_, text) => isInvalid(() => readQuery(bytes(text))));

  it('that is no UTF-8 outside is refused', () => isInvalid(() => readQuery(new Uint8Array([0x7b, 0xff, 0x7d]))));

  it.each([
    ['machine_no', undefined],
    ['machine_no', 16_327_129],
    ['machine_no', '1632712'],
    ['machine_no', '163271290'],
    ['machine_no', '1632712９'],
    ['machine_no', '16327129\n'],
    ['timestamp', undefined],
    ['timestamp', 1_714_115_742],
    ['timestamp', 'now'],
    ['timestamp', ''],
    ['timestamp', '-1'],
  ])('with %s %j is refused', (field, value) => isInvalid(() => readQuery(body({ ...query, [field]: value }))));
});

describe('an ordering', () => {
  it('takes what the contract names', () => {
    const given = {
      pay_method: 'alipay.barcode',
      auth_code: '280000000000000001',
      pickup_code: true,
      test: true,
      expires_in: 60,
    };
    expect(readOrdering(body({ ...ordering, ...given }))).toMatchObject({
      trade_id: ordering.trade_id,
      products: [{ product_id: 121, quantity: 1, price: 100 }],
      ...given,
    });
  });

  it.each([
    ['0', 0],
    ['0.00', 0],
    ['0.1', 10],
    ['0.07', 7],
    ['3', 300],
    ['1.15', 115],
    ['999999999.99', 99_999_999_999],
  ])('of price "%s" yuan costs %d fen', (price, fen) => {
    expect(readOrdering(body(product({ price }))).products[0]!.price).toBe(fen);
  });

  it('costs the same in yuan and fen, for every cent up to a hundred yuan', () => {
    for (let fen = 0; fen < 10_000; fen++)
      expect(readOrdering(body(product({ price: (fen / 100).toFixed(2) }))).products[0]!.price).toBe(fen);
  });

  it.each([1, '', '1.', '.5', '1.005', '-1.00', '+1.00', '01.00', '1,00', '1e2', '1000000000.00', ' 1.00', null])(
    'of price %j is refused',
    (price) => isInvalid(() => readOrdering(body(product({ price })))),
  );

  it.each([
    ['trade_id', ''],
    ['trade_id', 'x'.repeat(65)],
    ['trade_id', 'a\u0000b'],
    ['trade_id', 7],
    ['trade_id', undefined],
    ['products', undefined],
    ['products', []],
    ['products', [null]],
    ['products', {}],
    ['products', Array.from({ length: 1001 }, () => ordering.products[0])],
    ['pay_method', 'cash'],
    ['pay_method', 'wechatpay.jsapi'], // Needs to know who the buyer is.
    ['pay_method', 'alipay.barcode'], // Without the bar code.
    ['auth_code', 'abc'],
    ['pickup_code', 'true'],
    ['pickup_code', 1],
    ['test', 'yes'],
    ['expires_in', 0],
    ['expires_in', 2_592_001],
    ['expires_in', '60'],
  ])('with %s %j is refused', (field, value) => isInvalid(() => readOrdering(body({ ...ordering, [field]: value }))));

  it.each([
    ['product_id', 0],
    ['product_id', -1],
    ['product_id', 1.5],
    ['product_id', 1e20],
    ['product_id', 'cola'],
    ['quantity', 0],
    ['quantity', 10_000],
    ['quantity', undefined],
  ])("with a product's %s %j is refused", (field, value) =>
    isInvalid(() => readOrdering(body(product({ [field]: value })))),
  );

  it('takes as many products and as long a trade_id as there may be', () => {
    const products = Array.from({ length: 1000 }, () => ordering.products[0]);
    const read = readOrdering(body({ ...ordering, products, trade_id: '号'.repeat(64) }));
    expect(read.products).toHaveLength(1000);
  });
});

describe('a timestamp', () => {
  const at = (seconds: number) => () => checkTime(readQuery(body(query)), (1_714_115_742 + seconds) * 1000);
  it.each([-300, -299.9, 0, 300, 300.9])('%d seconds away is good', (seconds) => expect(at(seconds)).not.toThrow());
  it.each([-301, -300.1, 301, 86_400])('%d seconds away is not', (seconds) =>
    expect(at(seconds)).toThrow('时间戳无效'),
  );
  it('in milliseconds is none of now', () => {
    const payload = readQuery(body({ ...query, timestamp: '1714115742000' }));
    expect(() => checkTime(payload, 1_714_115_742_000)).toThrow('时间戳无效');
  });
});
