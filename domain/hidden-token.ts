import type { PaymentAction } from './order.ts';

/** A checkout token: whoever has it is that order's customer (api/checkout-token.ts). No encoding of a URL changes it. */
const TOKENS = /ct_([0-9a-z]{20})_[\w-]{43}/g;
const hidden = (letters: string): string => `ct_${letters}_hidden`;

/** Where a buyer is led may name the order's page as the way back: workflow, rows and notifications know it without its token. */
export const withoutToken = (action: PaymentAction | null): PaymentAction | null =>
  changed(action, (text) => text.replaceAll(TOKENS, (_, letters: string) => hidden(letters)));

/** The same action again, for whoever may have the token. */
export function withToken(action: PaymentAction | null, token: string): PaymentAction | null {
  const [letters = ''] = token.slice('ct_'.length).split('_');
  return changed(action, (text) => text.replaceAll(hidden(letters), token));
}

const changed = (action: PaymentAction | null, change: (text: string) => string): PaymentAction | null =>
  action && (JSON.parse(change(JSON.stringify(action))) as PaymentAction);
