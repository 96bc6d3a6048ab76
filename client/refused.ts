import type { Refusal } from '../domain/commands.ts';

/** A wish that the order did not grant. */
export class Refused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.detail);
    this.refusal = refusal;
  }
}

/** The provider said no, or nothing, while somebody waited for it. */
export class ProviderProblem extends Error {
  readonly code: 'provider_error' | 'provider_unavailable';
  constructor(code: ProviderProblem['code'], message: string) {
    super(message);
    this.code = code;
  }
}
