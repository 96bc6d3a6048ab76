import { randomUUID } from 'node:crypto';
import type { NoticeDraft } from '../provider.ts';
import type { Notice, Payment, Refund } from '../records.ts';
import type { Message } from './message.ts';
import { formFields, formText, signedBy } from './message.ts';
import type { Platform } from './platform.ts';
import { paymentDetails, refundDetails } from './platform.ts';
import { paymentFields, refundFields, withoutGaps } from './views.ts';

/** At most five deliveries (providers.md 0.2, 3.7). */
export const NOTICE_PAUSES_SECONDS = [60, 120, 240, 300] as const;
export const NOTICE_TIMEOUT_MS = 10_000;

/** Only a payment that came through is told. */
export function paymentNotice(payment: Payment): NoticeDraft {
  const { backUrl } = paymentDetails(payment);
  const content = { ...paymentFields(payment), exchangeRate: '0', respCode: '00', respMsg: 'Success!' };
  return draft(payment, 'payment', backUrl, content);
}

/** A refund is told whichever way it ended. */
export function refundNotice(payment: Payment, refund: Refund, state: { code: string; message: string }): NoticeDraft {
  const content = { ...refundFields(payment, refund), respCode: state.code, respMsg: state.message };
  return draft(payment, 'refund', refundDetails(refund).backUrl, content);
}

/** Signed anew for each delivery. */
export function noticeBody({ desk, signer }: Platform, { body }: Notice): string {
  return formText(signedBy(signer, formFields(body) ?? {}, desk.faults.of('unionpay').corrupt_signature));
}

function draft({ id: payment, merchant }: Payment, event: string, url: string, content: Message): NoticeDraft {
  const body = formText(withoutGaps(content));
  return { id: randomUUID(), provider: 'unionpay', merchant, payment, event, url, body, details: null };
}
