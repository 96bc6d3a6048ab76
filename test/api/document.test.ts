import { createConfig, lintFromString } from '@redocly/openapi-core';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, tea, type TestApi } from './support.ts';

let api: TestApi;
let document: Document;
beforeAll(async () => {
  api = await startApi();
  document = (await api.call('GET /openapi.json', undefined, { key: null })).body;
});
afterAll(() => api?.stop());

type Schema = { $ref?: string; example?: unknown; properties?: Record<string, Schema>; items?: Schema; type?: unknown };
type Content = Record<string, { schema: Schema }>;
type Operation = {
  operationId: string;
  parameters?: { in: string; name: string }[];
  requestBody?: { content: Content };
  responses: Record<string, { content?: Content }>;
};
type Document = {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};
type Call = { method: string; path: string; operation: Operation };

const calls = (): Call[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
const resolved = (schema: Schema): Schema =>
  schema.$ref ? document.components.schemas[schema.$ref.split('/').at(-1)!]! : schema;
/** Its own, or those of the things that a page lists. */
const hasExample = (schema: Schema): boolean => {
  const { example, properties } = resolved(schema);
  return example !== undefined || (properties?.['data']?.items !== undefined && hasExample(properties['data'].items));
};

it('pleases a linter that knows what makes good clients, examples included', async () => {
  const config = await createConfig({
    extends: ['recommended-strict'],
    rules: {
      'no-invalid-schema-examples': 'error',
      'no-invalid-media-type-examples': 'error',
      'operation-operationId-unique': 'error',
      'info-license': 'off', // The API is the deployer's.
      'no-server-example.com': 'off', // The server's own address: in a test a local one.
      'operation-4xx-response': 'off', // Probes have none.
    },
  });
  const found = await lintFromString({ source: JSON.stringify(document), config });
  expect(found.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual([]);
  const broken = structuredClone(document);
  broken.components.schemas['Order']!.example = { ...(broken.components.schemas['Order']!.example as object), id: 7 };
  expect(await lintFromString({ source: JSON.stringify(broken), config })).not.toEqual([]);
});

it('shows an example of every body, asked and answered', () => {
  const bodies = calls().flatMap(({ method, path, operation: { requestBody, responses } }) =>
    [requestBody?.content, ...Object.values(responses).map(({ content }) => content)].flatMap((content) =>
      Object.entries(content ?? {})
        .filter(([type]) => type.endsWith('json'))
        .map(([, { schema }]) => ({ call: `${method} ${path}`, schema })),
    ),
  );
  expect(bodies.length).toBeGreaterThan(50);
  expect(bodies.filter(({ schema }) => !hasExample(schema)).map(({ call }) => call)).toEqual([]);
});

describe('bad input', () => {
  const JUNK = ['', ' ', '\u0000', 'x'.repeat(2_000), -1, 0, 1.5, 1e20, true, null, [], {}, [[]], { a: { b: 1 } }];
  const junk = fc.constantFrom<unknown>(...JUNK);
  /** One field of it, however deep, is something else, is gone, or has a neighbour that nobody knows. */
  const spoilt = (example: unknown): fc.Arbitrary<unknown> => {
    if (example === null || typeof example !== 'object') return junk;
    const keys = Object.keys(example);
    const inside = keys.map((key) =>
      spoilt((example as Record<string, unknown>)[key]).map((value) => changed(example, key, value)),
    );
    const gone = keys.map((key) => fc.constant(changed(example, key, undefined)));
    return fc.oneof(
      junk,
      junk.map((value) => changed(example, 'surprise', value)),
      ...inside,
      ...gone,
    );
  };
  const changed = (whole: object, key: string, value: unknown): unknown =>
    Array.isArray(whole) ? whole.map((one, n) => (String(n) === key ? value : one)) : { ...whole, [key]: value };

  const ids = fc.constantFrom('x', 'ord_00000000000000000000', '%00', 'itm_1', '你好');
  const filled = (path: string, known: Record<string, string>, other: string, useKnown: boolean) =>
    path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURI((useKnown && known[name]) || other));

  it('is answered as documented, names the field, and never breaks anything', async () => {
    const { id } = (await api.call('POST /v1/orders', tea())).body;
    const ours = calls().filter(({ path }) => path.startsWith('/v1/'));
    const asked = ours.map((call) => {
      const schema = call.operation.requestBody?.content['application/json']?.schema;
      const body = schema ? spoilt(resolved(schema).example) : fc.constant(undefined);
      const names = (call.operation.parameters ?? []).flatMap((one) => (one.in === 'query' ? [one.name] : []));
      const query = fc.constantFrom(
        '',
        '?surprise=1',
        ...names.map((name) => `?${name}=%00`),
        ...names.map((name) => `?${name}=-1`),
      );
      return fc.record({ call: fc.constant(call), body, query, other: ids, isOurs: fc.boolean() });
    });
    const seen = new Map<string, Set<number>>();
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(...asked),
        async ({ call: { method, path, operation }, body, query, other, isOurs }) => {
          const target = filled(path, { id, item_id: 'itm_1' }, other, isOurs) + query;
          const { status, headers, body: answer } = await api.call(`${method} ${target}`, body);
          seen.set(operation.operationId, (seen.get(operation.operationId) ?? new Set()).add(status));
          expect(status).toBeLessThan(500);
          if (status < 400) return;
          expect(headers.get('content-type')).toBe('application/problem+json');
          expect(Object.keys(operation.responses)).toContain(String(status));
          if (answer.code === 'invalid_request') expect(answer.errors.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 600 },
    );
    expect([...seen.keys()].toSorted()).toEqual(ours.map(({ operation }) => operation.operationId).toSorted());
    const refused = [...seen.values()].filter((statuses) => statuses.has(400) || statuses.has(404));
    expect(refused.length).toBeGreaterThan(ours.length * 0.9);
  });
});
