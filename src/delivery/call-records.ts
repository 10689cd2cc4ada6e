/** Writes the call detail records of Voice Connectors to the bucket of the global settings. Requirements CD-1 and CD-3. */
import { arn } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { CallRecordObject } from '#services/chime-sdk-voice/sip/call-records.ts';
import type { Store } from '#store/store.ts';
import { putChimeFile } from './chime-files.ts';
import type { LogTarget } from './targets/log-target.ts';

export interface CallRecordParts {
  readonly store: Pick<Store, 'transaction'>;
  readonly now: () => Instant;
  readonly target: LogTarget;
  readonly report: (line: string) => void;
}

/**
 * Writes all records that are due. If a bucket refuses a record, all records of its account are postponed, so they do not delay others.
 * Several servers can write the same record, which replaces the object by one with the same content.
 */
export async function writeCallRecords({ store, now, target, report }: CallRecordParts, isStopped: () => boolean): Promise<void> {
  const { dueCallRecords, storeWrittenRecord, postponeRecords } = await import('#services/chime-sdk-voice/sip/call-records.ts');
  while (!isStopped()) {
    const due = await store.transaction((tx) => dueCallRecords({ tx, now: now() }), { readOnly: true });
    if (due.length === 0) return;
    const postponed = new Set<string>();
    for (const object of due) {
      const { call } = object;
      if (isStopped()) return;
      if (postponed.has(call.accountId)) continue;
      try {
        if (object.bucket !== undefined) await put(target, object, object.bucket);
      } catch (error) {
        postponed.add(call.accountId);
        report(`could not write the call records of account '${call.accountId}' to '${object.bucket}': ${(error as Error).message}`);
        await store.transaction((tx) => postponeRecords({ tx, now: now() }, call));
        continue;
      }
      await store.transaction((tx) => storeWrittenRecord({ tx, now: now() }, call));
    }
  }
}

async function put(target: LogTarget, { call, key, body }: CallRecordObject, bucket: string): Promise<void> {
  const { accountId, voiceConnectorId, document } = call;
  await putChimeFile(target, {
    ...{ bucket, key, body: Buffer.from(body), contentType: 'application/json' },
    accountId,
    sourceArn: arn('chime', document.AwsRegion, accountId, `vc/${voiceConnectorId}`),
  });
}
