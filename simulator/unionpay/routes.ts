import type { Context } from 'hono';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { html } from 'hono/html';
import { faulty } from '../faulty.ts';
import { page } from '../layout.ts';
import { buyerPage } from '../pages.ts';
import type { Env } from '../provider.ts';
import type { Message } from './message.ts';
import { answerText, formFields, isSignedWith, signedBy } from './message.ts';
import { applyForCode, arrive, linkTo } from './payments.ts';
import type { Call, Platform } from './platform.ts';
import { paymentDetails } from './platform.ts';
import { query } from './queries.ts';
import { refund } from './refunds.ts';
import { missingField, Refusal, SUCCESS, wrongFormat } from './refusal.ts';
import { transferFile } from './statements.ts';
import { withoutGaps } from './views.ts';
import { wayBack } from './way-back.ts';

const LARGEST_BODY = 64 * 1024;
const limited = bodyLimit({ maxSize: LARGEST_BODY, onError: () => new Response(null, { status: 413 }) });

type Operation = (platform: Platform, call: Call) => Message;

/** By txnType and txnSubType. */
const BACK_OPERATIONS: Readonly<Record<string, Operation>> = { '01/07': applyForCode, '04/00': refund };

function backOperation(platform: Platform, call: Call): Message {
  const { txnType, txnSubType } = call.message;
  const operation = BACK_OPERATIONS[`${txnType}/${txnSubType}`];
  if (!operation) throw new Refusal('32', '无此交易权限[3200000]');
  return operation(platform, call);
}

/** What merchants' servers call. */
export function unionpayRoutes(platform: Platform): Hono<Env> {
  const faults = faulty(platform.desk, 'unionpay', () => new Response('Bad Gateway', { status: 502 }));
  return (
    new Hono<Env>()
      .use('/gateway/api/*', faults)
      .use('/gateway/api/*', limited)
      // The real file service has a host of its own, and nothing else at its root.
      .post('/', faults, limited, (c) => answerTo(platform, c, transferFile))
      .post('/gateway/api/backTransReq.do', (c) => answerTo(platform, c, backOperation))
      .post('/gateway/api/queryTrans.do', (c) => answerTo(platform, c, query))
  );
}

/** What a buyer's browser opens. */
export function unionpayPages(platform: Platform): Hono<Env> {
  return new Hono<Env>()
    .post('/gateway/api/frontTransReq.do', limited, async (c) => {
      try {
        const call = callOf(platform, await readForm(c));
        return c.redirect(linkTo(platform, arrive(platform, call)), 303);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        const content = html`<main>
          <h1>交易失败 · Not accepted</h1>
          <p>${error.code} ${error.message}</p>
        </main>`;
        return page(c, '交易失败', content, 400);
      }
    })
    .get('/unionpay/cashier/:code', (c) => {
      const payment = platform.desk.books.paymentByAlias('unionpay', c.req.param('code'));
      const isLedBack = payment && paymentDetails(payment).frontUrl !== null;
      const back = isLedBack ? `${platform.desk.origin()}/unionpay/return/${c.req.param('code')}` : undefined;
      return buyerPage(c, platform.desk, payment, back);
    })
    .get('/unionpay/return/:code', (c) => {
      const payment = platform.desk.books.paymentByAlias('unionpay', c.req.param('code'));
      return (payment && wayBack(c, platform, payment)) ?? buyerPage(c, platform.desk, undefined);
    });
}

/** Every answer is signed, a refusal too, and says what was asked. */
async function answerTo(platform: Platform, c: Context<Env>, operation: Operation): Promise<Response> {
  const message = await readForm(c);
  const answer = { ...echo(message), ...outcomeOf(platform, message, operation) };
  const isCorrupt = platform.desk.faults.of('unionpay').corrupt_signature;
  const text = answerText(signedBy(platform.signer, withoutGaps(answer), isCorrupt));
  return new Response(text, { headers: { 'Content-Type': 'text/html;charset=UTF-8' } });
}

function outcomeOf(platform: Platform, message: Message, operation: Operation): Message {
  try {
    return { ...operation(platform, callOf(platform, message)), ...SUCCESS };
  } catch (error) {
    if (error instanceof Refusal) return { respCode: error.code, respMsg: error.message };
    throw error;
  }
}

/** A body that is no form reads as an empty one: 13 tells what is missing. */
async function readForm(c: Context<Env>): Promise<Message> {
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(c.req.header('content-type') ?? '');
  return (isForm && formFields(await c.req.text())) || {};
}

function callOf({ merchants }: Platform, message: Message): Call {
  const { merId, certId, signature } = message;
  for (const [name, value] of Object.entries({ merId, certId, signature })) if (!value) throw missingField(name);
  const merchant = merchants.get(merId ?? '');
  if (!merchant) throw new Refusal('31', '商户状态不正确[3100000]');
  if (message['version'] !== '5.1.0') throw wrongFormat('version', '须为5.1.0');
  if (certId !== merchant.certId) throw new Refusal('11', '验证签名失败：证书不符[9100004]');
  if (!isSignedWith(merchant.publicKey, message)) throw new Refusal('11', '验证签名失败[9100004]');
  return { merchant, message };
}

const ECHOED = [
  'version',
  'encoding',
  'signMethod',
  'accessType',
  'bizType',
  'merId',
  'orderId',
  'txnTime',
  'txnType',
  'txnSubType',
  'txnAmt',
  'reqReserved',
];

/** What could not be told from the answer's own separators is left out. */
function echo(message: Message): Message {
  const given = ECHOED.map((name) => [name, message[name] ?? ''] as const);
  return Object.fromEntries(given.filter(([, value]) => !/[&={}[\]]/.test(value)));
}
