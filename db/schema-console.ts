/** Operators who are signed in to the console. */
export interface ConsoleSessionsTable {
  /** SHA-256 of what the browser holds. */
  hash: Buffer;
  key_id: string;
  /** In which the console tells times, as `Asia/Shanghai`. */
  time_zone: string;
  expires_at: Date;
}
