import type { ColumnType, Generated } from 'kysely';

type Made = ColumnType<Date, Date | undefined, Date>;

export interface CourseTables {
  course_users: CourseUsersTable;
  albums: AlbumsTable;
  course_orders: CourseOrdersTable;
  album_days: AlbumDaysTable;
  album_sums: AlbumSumsTable;
  rollups: RollupsTable;
}

/** Who calls the course shop's API, by a token. */
interface CourseUsersTable {
  id: Generated<number>;
  merchant_id: string;
  name: string;
  /** A teacher sees what was sold of their albums, a student what they bought. */
  role: 'student' | 'teacher';
  /** SHA-256, as of API keys. */
  token_hash: Buffer;
  created_at: Made;
  revoked_at: Date | null;
}

interface AlbumsTable {
  id: Generated<number>;
  merchant_id: string;
  teacher_id: number;
  title: string;
  /** Fen. */
  price: number;
  /** How many there are of it: with album_days, all that is to be counted. */
  orders: Generated<number>;
  created_at: Made;
}

/** Which album an order is for, and whose it is: written once, with the order. */
interface CourseOrdersTable {
  order_id: string;
  /** The order's. */
  number: number;
  album_id: number;
  teacher_id: number;
  student_id: number;
  created_at: Date;
  /** Who paid, as the provider calls them; sealed. */
  third_buyer_id: string | null;
}

/** How many orders there were of an album on a day in Shanghai: counting a million rows would take too long. */
interface AlbumDaysTable {
  album_id: number;
  /** yyyy-mm-dd */
  day: string;
  orders: number;
}

/** What albums have earned, as of the latest roll-up. */
interface AlbumSumsTable {
  album_id: number;
  /** Paid less refunded, fen. */
  total: number;
}

interface RollupsTable {
  name: 'album_sums';
  /** Everything that was saved before is in it. */
  until: Date;
}
