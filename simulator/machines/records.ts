/** One dispatch that a machine has taken. Times are epoch milliseconds. */
export type Dispensing = {
  /** The shop's own id of the dispatch: the same one again is the same dispensing. */
  id: string;
  merchant: string;
  machineNo: string;
  order: string;
  item: string;
  name: string;
  quantity: number;
  reportUrl: string;
  /** Decided when it was taken. */
  willJam: boolean;
  /** How many reports are sent of it: more than one where the machine stutters. */
  copies: number;
  takenAt: number;
  /** When it comes out, or jams. */
  dueAt: number;
  doneAt: number | null;
  /** What lies in the tray. */
  dispensed: number;
  report: 'none' | 'due' | 'accepted' | 'given_up';
  reportAttempts: number;
  nextReportAt: number | null;
  lastError: string | null;
};

/** As the control calls answer it. */
export const dispensingView = (dispensing: Dispensing): object => ({
  dispatch_id: dispensing.id,
  merchant: dispensing.merchant,
  machine_no: dispensing.machineNo,
  order: dispensing.order,
  item: dispensing.item,
  name: dispensing.name,
  quantity: dispensing.quantity,
  status: dispensing.doneAt === null ? 'at_work' : dispensing.willJam ? 'jammed' : 'dispensed',
  dispensed: dispensing.dispensed,
  taken_at: new Date(dispensing.takenAt).toISOString(),
  done_at: dispensing.doneAt === null ? null : new Date(dispensing.doneAt).toISOString(),
  report: dispensing.report,
  report_attempts: dispensing.reportAttempts,
  last_error: dispensing.lastError,
});
