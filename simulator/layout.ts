import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { html, raw } from 'hono/html';
import type { Env } from './provider.ts';
import type { PaymentStatus } from './records.ts';

/** What a template makes: escaped already. */
export type Markup = ReturnType<typeof html>;

const STYLE = `
body { margin: 0; background: #f4f5f7; color: #1d2129; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 26rem; margin: 3rem auto; padding: 1.5rem 2rem 2rem; background: #fff; border-radius: 12px; box-shadow: 0 1px 4px #0002; }
main.wide { max-width: 64rem; }
h1 { margin: 0 0 1rem; font-size: 1.1rem; font-weight: 600; }
.amount { margin: 0; font-size: 2.4rem; font-weight: 700; }
dl { display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem; margin: 1.5rem 0; font-size: .9rem; }
dt { color: #5c6573; } dd { margin: 0; overflow-wrap: anywhere; }
form { display: flex; gap: .5rem; }
button { flex: 1; padding: .7rem; border: 1px solid #c6ccd4; border-radius: 8px; background: #fff; font: inherit; cursor: pointer; }
button.first { border-color: #07862f; background: #07862f; color: #fff; }
table { width: 100%; border-collapse: collapse; font-size: .9rem; }
th, td { padding: .4rem .6rem; border-bottom: 1px solid #e5e8ec; text-align: left; overflow-wrap: anywhere; }
pre { overflow-x: auto; padding: .8rem; border-radius: 8px; background: #f4f5f7; }
a { color: #0b57d0; }
`;

// One piece, because the hash covers every character between the tags.
const STYLE_ELEMENT = raw(`<style>${STYLE}</style>`);
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');
const POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;

export const STATUS_WORDS: Record<PaymentStatus, string> = {
  pending: '待支付 · waiting for payment',
  paying: '支付中 · entering the password',
  paid: '已支付 · paid',
  closed: '已关闭 · closed',
};

/** A whole page: no script, no outside resources, never kept. */
export async function page(
  c: Context<Env>,
  title: string,
  content: Markup,
  status: 200 | 400 | 404 = 200,
): Promise<Response> {
  c.header('Content-Security-Policy', POLICY);
  c.header('Referrer-Policy', 'no-referrer');
  c.header('Cache-Control', 'no-store');
  const document = html`<!doctype html>
    <html lang="zh-CN">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        ${content}
      </body>
    </html>`;
  return c.html(document, status);
}

/** Minor units as people read them, without floating point: 12345 CNY → 123.45 CNY, 500 JPY → 500 JPY. */
export function readableAmount(amount: number, currency: string): string {
  const { maximumFractionDigits: decimals = 2 } = new Intl.NumberFormat('en', {
    style: 'currency',
    currency,
  }).resolvedOptions();
  if (decimals === 0) return `${amount} ${currency}`;
  const digits = String(amount).padStart(decimals + 1, '0');
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)} ${currency}`;
}
