import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { html, raw } from 'hono/html';
import type { Env } from '../provider.ts';
import type { Payment } from '../records.ts';
import { formFields, signedBy } from './message.ts';
import { paymentNotice } from './notices.ts';
import type { Platform } from './platform.ts';
import { paymentDetails } from './platform.ts';

const SCRIPT = 'document.forms[0].submit()';
const SCRIPT_ELEMENT = raw(`<script>${SCRIPT}</script>`);
const SCRIPT_HASH = createHash('sha256').update(SCRIPT).digest('base64');
const POLICY = `default-src 'none'; script-src 'sha256-${SCRIPT_HASH}'; base-uri 'none'; frame-ancestors 'none'`;

/** The browser posts what the notice says to the merchant's frontUrl (providers.md 3.7); unpaid it only goes there. */
export function wayBack(c: Context<Env>, { signer }: Platform, payment: Payment): Response | Promise<Response> | null {
  const { frontUrl } = paymentDetails(payment);
  if (frontUrl === null) return null;
  if (payment.status !== 'paid') return c.redirect(frontUrl, 302);
  const message = signedBy(signer, formFields(paymentNotice(payment).body) ?? {});
  const inputs = Object.entries(message).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
  );
  const page = html`<!doctype html>
    <title>返回商家 · Back to the merchant</title>
    <form method="post" action="${frontUrl}">
      ${inputs}
      <button>返回商家 · <span lang="en">Back to the merchant</span></button>
    </form>
    ${SCRIPT_ELEMENT}`;
  return c.html(page, 200, { 'Content-Security-Policy': POLICY });
}
