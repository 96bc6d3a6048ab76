/** The most we take of anything: contract, section 2. */
export const LIMITS = {
  attempts: 50,
  refundApplications: 50,
  /** Items that the refund applications of one order may name together: a stored order must fit into 2 MB. */
  namedItems: 5000,
  wrongCodesPerMinute: 5,
  items: 1000,
  quantity: 9999,
  amount: 99_999_999_999,
  textLength: 200,
  reasonLength: 500,
  metadataKeys: 50,
  metadataValueLength: 500,
  expiresInSeconds: 2_592_000,
  bodyBytes: 1024 * 1024,
  noticeBytes: 64 * 1024,
  idempotencyKeyLength: 255,
  pageSize: 100,
  /** Of one order's events, on a terminal. */
  timelineShown: 10_000,
  webhookEndpoints: 20,
  /** In force at once, while they are rotated. */
  webhookSecrets: 5,
} as const;

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** How long things take, in milliseconds. */
export const PAUSES = {
  /** A new attempt waits for the earlier one's close no longer than this (rule 1). */
  closingOfEarlierAttempt: 5 * SECOND,
  /** A cancellation is answered by then, settled or not. */
  cancellation: 10 * SECOND,
  /** A wish to pay that is older than this when it is heard counts as made this long ago. */
  askingToPay: MINUTE,
  /** An open attempt without a notice is asked about from then on (rule 6). */
  firstAsking: 25 * SECOND,
  /** An attempt that could not be closed is asked about once more so long after its own expiry (rule 5). */
  lastAsking: 5 * MINUTE,
  /** A refund under way without a notice is asked about from then on. */
  firstRefundAsking: 20 * SECOND,
  /** What can't be done for this long is shown to people (rule 9). */
  untilAttention: 15 * MINUTE,
  /** A refund application that nobody decided is overdue. */
  untilOverdue: 24 * 60 * MINUTE,
  /** Money that goes back by itself is tried again after a definite failure: this pause, doubled each time. */
  returnRetry: 30 * SECOND,
  returnRetryMost: 60 * MINUTE,
} as const;
