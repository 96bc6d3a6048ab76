/** What one dispatch asks of a machine. The same `id` is the same dispensing, however often it is told. */
export type Dispatch = {
  id: string;
  order: string;
  item: string;
  machineNo: string;
  /** Which of the order's records for this machine it is, counted from 1. */
  record: number;
  sku: string | null;
  name: string;
  /** How many to dispense. */
  quantity: number;
  /** Where to tell what came of it. */
  reportUrl: string;
};

/** What a machine tells of one dispatch; the later ones of one dispatch say more. */
export type MachineReport = {
  /** The dispatch's id. */
  dispatch: string;
  status: 'delivering' | 'delivered' | 'failed';
  /** How many came out of this dispatch so far; null: all of it, or unknown where it failed. */
  dispensed: number | null;
  detail: string | null;
};

/** A merchant's machines. Every call may be repeated and must then mean the same. */
export interface MachineGateway {
  /**
   * Tells a machine to dispense; done once the merchant's machine backend has taken it.
   * @throws ProviderError: refused is a definite no, busy where nothing can have been told, unknown where it may have been
   */
  dispatch(dispatch: Dispatch): Promise<void>;
  /** Reads a report whose signature holds. @throws NoticeRejected if it doesn't or is too old, ReportMalformed */
  readReport(request: { headers: Headers; body: Uint8Array }): MachineReport;
}

/** Signed, but not in the form of a report; the message names field and rule. */
export class ReportMalformed extends Error {
  readonly errors: { path: string; message: string }[];
  constructor(errors: ReportMalformed['errors']) {
    super(errors.map(({ path, message }) => `${path}: ${message}`).join('; '));
    this.errors = errors;
  }
}
