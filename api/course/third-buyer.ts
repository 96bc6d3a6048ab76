import type { Sealer } from '../../db/sealed.ts';

/** Who paid, as the provider calls them: personal, so it is sealed, and stands in no order and no history. */

const contextOf = (order: string): string => `course_orders.third_buyer_id/${order}`;

export const sealThirdBuyer = (sealer: Sealer, order: string, id: string): string => sealer.seal(id, contextOf(order));
export const openThirdBuyer = (sealer: Sealer, order: string, sealed: string | null): string | null =>
  sealed === null ? null : (sealer.open(sealed, contextOf(order)) as string);
