import { randomOf } from './random.ts';

/** Who buys: everything about them that must not leave the database and the API. */
export type Person = {
  delivery: { name: string; phone: string; address: string };
  customer: { id: string; email: string };
  /** As a provider calls them. */
  payerId: string;
  clientIp: string;
};

/** Somebody whom nobody else in this run resembles: each value, found anywhere, is theirs. */
export function personOf(seed: number, index: number): Person {
  const random = randomOf(seed, 'person', index);
  const digits = (count: number) => Array.from({ length: count }, () => random.int(0, 9)).join('');
  const letters = Array.from({ length: 6 }, () => random.pick(Array.from('abcdefghkmnpqrstuvwxyz'))).join('');
  return {
    delivery: {
      name: `周${letters}-${index}`,
      phone: `+8613${digits(9)}`,
      address: `杭州市莲花路${digits(7)}号-${index}`,
    },
    customer: { id: `cust-${letters}-${index}`, email: `${letters}.${index}@customers.example` },
    payerId: `oUpF8u${letters}${digits(16)}`,
    clientIp: `2001:db8:${digits(4)}:${digits(4)}::${digits(3)}a`,
  };
}
