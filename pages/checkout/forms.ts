import type { Entered, FormName } from './view.tsx';
import { ApiProblem } from '../api.ts';

/** As the form names an item's quantity. */
export const quantityField = (item: string): string => `${QUANTITY}${item}`;
const QUANTITY = 'quantity.';

/** What was entered, as the API takes it; what is wrong with it the API says. @throws ApiProblem */
export function formBody(form: FormName, entered: Entered, clientIp: string): object {
  switch (form) {
    case 'confirm':
    case 'receipt':
      return {};
    case 'cancel':
      return { reason: entered['reason'] || null };
    case 'payments':
      return { method: entered['method'], client_ip: clientIp };
    case 'review':
      return { rating: Number(entered['rating']), comment: entered['comment'] || null };
    case 'refunds':
      return { reason: entered['reason'] ?? '', ...(entered['what'] === 'items' && { items: itemsOf(entered) }) };
  }
}

function itemsOf(entered: Entered): { item_id: string; quantity: number }[] {
  const items = Object.entries(entered)
    .filter(([field, value]) => field.startsWith(QUANTITY) && Number(value) !== 0)
    .map(([field, value]) => ({ item_id: field.slice(QUANTITY.length), quantity: Number(value) }));
  if (items.length > 0) return items;
  const nothing = { path: 'items', message: 'Choose at least one.' };
  throw new ApiProblem({ status: 400, code: 'invalid_request', detail: nothing.message, errors: [nothing] });
}
