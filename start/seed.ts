/** The demo merchant of the embedded mode: contract, section 1. */
import type { Kysely } from 'kysely';
import { putApplication } from '../db/applications.ts';
import { putAlbum, putCourseUser } from '../db/courses.ts';
import { putKey, putMerchant } from '../db/merchants.ts';
import { SCOPES, type Database, type Scope } from '../db/schema.ts';
import { METHODS, takesCurrency, type PaymentMethod } from '../domain/method.ts';

export const DEMO = {
  merchant: 'demo',
  apiKey: 'sk_test_demo',
  operatorKey: 'op_test_demo',
  courseNotifySecret: 'course_demo_secret',
  application: { id: 'ds_demo', secret: 'ds_demo_secret', machines: ['16327129', '16327130'] },
} as const;

const OPERATOR_SCOPES: Scope[] = [
  'orders:read',
  'refunds:review',
  'payments:resolve',
  'deliveries:write',
  'notifications:write',
  'admin',
];

const IN_DOLLARS: readonly PaymentMethod[] = ['card.stripe', 'paypal.checkout'];

/** Merchant, API key, operator, vending application. May run again: what is there already stays. */
export async function seedMerchant(db: Kysely<Database>): Promise<void> {
  const settings = {
    four_eyes: true,
    on_delivery_failure: null,
    methods: (Object.keys(METHODS) as PaymentMethod[]).map((method) => ({
      method,
      currencies: ['CNY', ...(IN_DOLLARS.includes(method) ? ['USD'] : [])].filter((one) => takesCurrency(method, one)),
    })),
  };
  await putMerchant(db, { id: DEMO.merchant, name: 'Demo Shop', settings });
  const common = { merchant: DEMO.merchant };
  await putKey(db, { ...common, id: 'key_demo', key: DEMO.apiKey, kind: 'api', name: 'Demo Shop', scopes: SCOPES });
  await putKey(db, {
    ...common,
    id: 'key_demo_operator',
    key: DEMO.operatorKey,
    kind: 'operator',
    name: 'Demo Operator',
    scopes: OPERATOR_SCOPES,
  });
  const { id, secret, machines } = DEMO.application;
  await seedCourses(db);
  await putApplication(db, { ...common, id, secret, name: 'Demo machines', machines: [...machines] });
}

/** Contract, section 1: users by token, and albums of one teacher. Numbers that people add begin after these. */
const TEACHER = 1;
const USERS = [
  { id: TEACHER, name: '张老师', role: 'teacher', token: 'teacher_demo' },
  { id: 2, name: '王小二', role: 'student', token: 'student_demo' },
  { id: 3, name: '李小三', role: 'student', token: 'student2_demo' },
] as const;
const ALBUMS = [
  { id: 1, title: '我的直播课', price: 0 },
  { id: 2, title: '测试支付', price: 1 },
  { id: 7, title: '测试点播', price: 9900 },
];

async function seedCourses(db: Kysely<Database>): Promise<void> {
  const { merchant } = DEMO;
  for (const user of USERS) await putCourseUser(db, { ...user, merchant });
  for (const album of ALBUMS) await putAlbum(db, { ...album, merchant, teacher: TEACHER });
}
