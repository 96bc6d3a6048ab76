import type { ColumnType } from 'kysely';

/** A client of the vending machines' API: `Appid` and `AppSecret` are its credentials. */
export interface ApplicationsTable {
  id: string;
  merchant_id: string;
  name: string;
  /** SHA-256, as of API keys. */
  secret_hash: Buffer;
  /** The machines that it sells at, each of eight digits. */
  machines: string[];
  created_at: ColumnType<Date, Date | undefined, Date>;
  revoked_at: Date | null;
}
