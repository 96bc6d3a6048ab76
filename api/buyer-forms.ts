import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import { html, raw } from 'hono/html';
import { findBuyer } from '../db/buyers.ts';
import type { BuyerForm } from '../providers/provider.ts';
import type { ApiEnv, Services } from './env.ts';
import { namedProvider } from './named-provider.ts';
import { notFound } from './problem.ts';

const SCRIPT = 'document.forms[0].submit()';
const SCRIPT_ELEMENT = raw(`<script>${SCRIPT}</script>`);
const SCRIPT_HASH = createHash('sha256').update(SCRIPT).digest('base64');
/** No form-action: browsers hold redirects against it too, and only the provider knows where its own lead. */
const POLICY = `default-src 'none'; script-src 'sha256-${SCRIPT_HASH}'; base-uri 'none'; frame-ancestors 'none'`;

/**
 * Pages between ours and a provider that speaks with browsers by posted forms only. There: nothing is stored, the fields
 * stand in the query, and only those that the merchant's own account signed are passed on. Back: to where the buyer asked
 * for, which their provider can't reach by a link; what it says in its form is not asked (scenario 17).
 */
export const buyerFormRoutes = (services: Services) =>
  new Hono<ApiEnv>()
    .get('/forms/:provider/:merchant', async (c) => {
      const { provider: name, merchant } = c.req.param();
      const provider = await namedProvider(services, merchant, name);
      const form = provider.formOf?.(new URL(c.req.url).searchParams);
      if (!form) throw notFound();
      return c.html(page(form), 200, { 'content-security-policy': POLICY });
    })
    .on(['GET', 'POST'], '/back/:buyer', async (c) => {
      const { return_url: url } = await findBuyer(services.db, services.sealer, c.req.param('buyer'));
      if (url === undefined) throw notFound();
      return c.redirect(url, 303);
    });

function page({ action, fields }: BuyerForm) {
  const inputs = Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
  );
  return html`<!doctype html>
    <html lang="zh-CN">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>前往支付 · To the payment</title>
      </head>
      <body>
        <form method="post" action="${action}">
          ${inputs}
          <button>前往支付 · <span lang="en">To the payment</span></button>
        </form>
        ${SCRIPT_ELEMENT}
      </body>
    </html>`;
}
