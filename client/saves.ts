import type { Client } from '@temporalio/client';

/** A save as its row names it: see db/save.ts. */
export type SaveMade = { run: string | null; task: number; version: number };

type Page = Awaited<ReturnType<Client['workflowService']['getWorkflowExecutionHistoryReverse']>>;
type HistoryEvent = NonNullable<NonNullable<Page['history']>['events']>[number];

const PAGE = 50;

/**
 * Whether a workflow's history holds that it was saved, or that the order was loaded as saved: what a lost task had saved is
 * not there, nor what one that is repeated is still to save. Read from its end, as far as the task that saved. It
 * wakes no worker, and asks none: docs/adr/0025-queries.md.
 */
export async function holdsSave(client: Client, workflowId: string, save: SaveMade): Promise<boolean> {
  const { runId } = await client.workflow.getHandle(workflowId).describe();
  const from = runId === save.run ? save.task : 0;
  let nextPageToken: Uint8Array | null | undefined;
  do {
    const page = await client.workflowService.getWorkflowExecutionHistoryReverse({
      namespace: client.options.namespace,
      execution: { workflowId, runId },
      maximumPageSize: PAGE,
      ...(nextPageToken && { nextPageToken }),
    });
    for (const event of page.history?.events ?? []) {
      if (Number(event.eventId) <= from) return false;
      if (isSave(event) || loadedVersion(event) >= save.version) return true;
    }
    nextPageToken = page.nextPageToken;
  } while (nextPageToken?.length);
  return false;
}

/** A local activity's end, as the SDK notes it; while it is yet to be tried again it has no result. */
function isSave({ markerRecordedEventAttributes: marker }: HistoryEvent): boolean {
  if (marker?.markerName !== 'core_local_activity') return false;
  const { data, result } = marker.details ?? {};
  const { activity_type: type } = (jsonOf(data?.payloads?.[0]) ?? {}) as { activity_type?: string };
  return type === 'saveOrder' && jsonOf(result?.payloads?.[0]) === 'saved';
}

function loadedVersion({ activityTaskCompletedEventAttributes: completed }: HistoryEvent): number {
  const loaded = jsonOf(completed?.result?.payloads?.[0]) as { order?: { version?: number } } | null | undefined;
  return loaded?.order?.version ?? -1;
}

function jsonOf(payload: { data?: Uint8Array | null } | null | undefined): unknown {
  return payload?.data?.length ? JSON.parse(Buffer.from(payload.data).toString()) : undefined;
}
