import { z } from 'zod';
import { Refusal } from './refusal.ts';

type Tree = { [name: string]: Tree | string };

/** `a[b][0]=x` as an object; a list is an object with numbers for names, as Stripe reads it. */
export function parsedForm(text: string): Tree {
  const tree: Tree = {};
  for (const [name, value] of new URLSearchParams(text)) put(tree, name.replaceAll(']', '').split('['), value);
  return tree;
}

function put(tree: Tree, [name = '', ...rest]: string[], value: string): void {
  const key = name === '' ? String(Object.keys(tree).length) : name;
  if (key === '__proto__') throw new Refusal(400, 'Invalid parameter name');
  if (rest.length === 0) {
    tree[key] = value;
    return;
  }
  const inner = tree[key];
  const branch: Tree = typeof inner === 'object' ? inner : {};
  tree[key] = branch;
  put(branch, rest, value);
}

/** A list in a form. */
export function list<T extends z.ZodType>(item: T) {
  return z.preprocess(
    (value) => (typeof value === 'object' && value !== null ? Object.values(value) : value),
    z.array(item),
  );
}

/** A whole number in a form. */
export const integer = z
  .string()
  .regex(/^-?\d{1,15}$/)
  .transform(Number);

/** Up to 50 pairs (providers.md 4.2). */
export const metadata = z
  .record(
    z
      .string()
      .max(40)
      .regex(/^[^[\]]+$/),
    z.string().max(500),
  )
  .refine((pairs) => Object.keys(pairs).length <= 50, 'at most 50 pairs');

/** The checked parameters; a refusal about the first that is wrong, missing or unknown. */
export function checked<T>(schema: z.ZodType<T>, tree: unknown): T {
  const result = schema.safeParse(tree);
  if (result.success) return result.data;
  throw refusalOf(result.error.issues[0], tree);
}

function refusalOf(issue: z.core.$ZodIssue | undefined, tree: unknown): Refusal {
  const path = issue?.path.map(String) ?? [];
  if (issue?.code === 'unrecognized_keys') {
    const param = named([...path, issue.keys[0] ?? '']);
    return new Refusal(400, `Received unknown parameter: ${param}`, { code: 'parameter_unknown', param });
  }
  const param = named(path);
  if (valueAt(tree, path) === undefined)
    return new Refusal(400, `Missing required param: ${param}.`, { code: 'parameter_missing', param });
  return new Refusal(400, `Invalid ${param}: ${issue?.message ?? ''}`, { code: 'parameter_invalid', param });
}

const valueAt = (tree: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], tree);

const named = ([first = '', ...rest]: string[]): string => first + rest.map((part) => `[${part}]`).join('');
