import type { Context } from 'hono';
import { html } from 'hono/html';
import type { Child } from 'hono/jsx';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { ApiEnv } from '../api/env.ts';
import { RETRY_SECONDS } from '../api/problem.ts';
import type { Speaker } from './speaker.ts';
import { STATIC } from './static.ts';

/** Everything a page shows is ours and comes from here: no inline script or style, nothing of other hosts. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

export type Page = {
  title: string;
  /** Which of the static scripts it runs. */
  script: 'checkout.js' | 'console.js';
  /** Without JavaScript it is loaded again after so many seconds. */
  reloadSeconds?: number | null;
  content: Child;
};

/** A whole page in the reader's language; never kept by anybody. */
export function answer(
  c: Context<ApiEnv>,
  say: Speaker,
  page: Page,
  status: ContentfulStatusCode = 200,
): Response | Promise<Response> {
  if (status === 503) c.header('retry-after', String(RETRY_SECONDS));
  c.header('content-security-policy', POLICY);
  c.header('cross-origin-opener-policy', 'same-origin');
  c.header('content-language', LANGUAGE_TAG[say.language]);
  return c.html(html`<!doctype html>${(<Document say={say} page={page} />)}`, status);
}

const LANGUAGE_TAG = { en: 'en', zh: 'zh-CN' } as const;

function Document({ say, page }: { say: Speaker; page: Page }) {
  return (
    <html lang={LANGUAGE_TAG[say.language]}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>{page.title}</title>
        <link rel="stylesheet" href={STATIC['style.css']} />
        <link rel="icon" href={STATIC['icon.svg']} />
        <script type="module" src={STATIC[page.script]}></script>
        {page.reloadSeconds ? (
          <noscript>
            <meta http-equiv="refresh" content={String(page.reloadSeconds)} />
          </noscript>
        ) : null}
      </head>
      <body>{page.content}</body>
    </html>
  );
}
