import { Connection, ServiceError } from '@temporalio/client';
import { inject, expect, it, onTestFinished } from 'vitest';
import { howToRegister, missingSearchAttributes, SEARCH_ATTRIBUTES } from '../../start/search-attributes.ts';

const NAMES = ['OrderStatus', 'RefundStatus', 'MerchantId', 'MerchantOrderNo', 'Channel'];

/** As Temporal Cloud: whoever is no operator of the service may neither list nor add. */
async function withoutOperator(): Promise<Connection> {
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  onTestFinished(() => connection.close());
  const denied = Object.assign(new Error('Request unauthorized.'), { code: 7, details: '', metadata: {} });
  const operatorService = { listSearchAttributes: () => Promise.reject(denied) };
  return Object.create(connection, { operatorService: { value: operatorService } }) as Connection;
}

it('are asked about by searching, where only operators may list them', async () => {
  expect(SEARCH_ATTRIBUTES.toSorted()).toEqual(NAMES.toSorted());
  const connection = await withoutOperator();
  expect(await missingSearchAttributes(connection, 'default')).toEqual([]);
  const namespace = `bare-${process.pid}-${Date.now()}`;
  const seconds = 86_400;
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: seconds as never },
  });
  await expect
    .poll(
      () => missingSearchAttributes(connection, namespace).catch((error: unknown) => error instanceof ServiceError),
      {
        timeout: 60_000,
      },
    )
    .toEqual(SEARCH_ATTRIBUTES);
});

it('are registered by a person in the way of their server', () => {
  expect(howToRegister(['Channel'], 'default', 'temporal.example.com:7233')).toEqual([
    'temporal operator search-attribute create --namespace default --name Channel --type Keyword',
  ]);
  for (const address of ['orders.a1b2c.tmprl.cloud:7233', 'us-east-1.aws.api.temporal.io:7233'])
    expect(howToRegister(['Channel', 'MerchantId'], 'orders.a1b2c', address)).toEqual([
      'tcld namespace search-attributes add --namespace orders.a1b2c --search-attribute "Channel=Keyword" --search-attribute "MerchantId=Keyword"',
      'or https://cloud.temporal.io/namespaces/orders.a1b2c: Edit, Search Attributes; type Keyword',
    ]);
});
