/** Log groups of this server as targets of trails. The role of the trail decides about each write. */
import type { DecideRole } from '#access/service-role.ts';
import { type Instant, instant } from '#core/instant.ts';
import {
  type LogGroupProblem,
  type LogGroupRequest,
  type LogGroups,
  logGroupNameOf,
  logStreamOf,
} from '#services/cloudtrail/log-groups.ts';
import { trailArn } from '#services/cloudtrail/trail-names.ts';
import type { Work } from '#services/kit/events.ts';
import type { NewLogEvent } from '#services/kit/log-events.ts';
import { streamArn } from '#services/logs/names.ts';
import { BATCH_BYTES_MAX, EVENT_BYTES, SPAN_MAX_MS } from '#services/logs/put-events.ts';
import { writeAuthorized } from '#services/logs/service-writer.ts';
import { logGroups } from '#services/logs/tables/groups.ts';
import type { Tx } from '#store/store.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import type { DeliveringPeriod } from '../delivering-trail.ts';
import type { TrailRecords } from '../received-records.ts';

/** Name of the role session. Recorded: public records of AssumeRole by CloudTrail. */
const SESSION_NAME = 'CLOUDWATCH_LOGS_DELIVERY_SESSION';
/** Largest record. Source: CloudTrail User Guide, "Sending events to CloudWatch Logs": events of more than 256 KB are not sent. */
const RECORD_MAX_BYTES = 256 * 1024;
/** Maximum number of events of a batch. Source: logs 2014-03-28, PutLogEvents. */
const EVENTS_MAX = 10_000;

async function decide(
  tx: Tx,
  decideRole: DecideRole,
  { trail, logGroupArn, roleArn, streams }: LogGroupRequest,
  now: Instant,
): Promise<'ok' | LogGroupProblem> {
  const name = logGroupNameOf(logGroupArn, trail);
  const { accountId, homeRegion: region } = trail;
  const group = name === undefined ? undefined : { accountId, region, name };
  if (group === undefined || (await tx.of(logGroups).get(group)) === undefined) return 'no such group';
  const decision = await decideRole(tx, {
    ...{ service: 'cloudtrail.amazonaws.com', roleArn, sessionName: SESSION_NAME, region, now },
    actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
    resources: streams.map((stream) => streamArn(group, stream)),
    sourceArn: trailArn(trail),
    sourceAccount: accountId,
  });
  switch (decision) {
    case 'allowed':
      return 'ok';
    case 'no-role':
      return 'no such role';
    case 'not-trusted':
      return 'not trusted';
    case 'denied':
      return 'denied';
  }
}

/** Returns the check of log groups of this server, for new and changed trails. */
export function ownLogGroups(decideRole: DecideRole, now: () => Instant): LogGroups {
  return { check: (tx, request) => decide(tx, decideRole, request, now()) };
}

/** Error of a write to a log group, with the code for the status of the trail. Assumed: the codes, which are those of CloudWatch Logs. */
export class LogGroupError extends Error {
  readonly code: 'ResourceNotFoundException' | 'AccessDeniedException' | 'InvalidParameterException';

  constructor(code: LogGroupError['code']) {
    super(code);
    this.code = code;
  }
}

/**
 * Writes records of a period to its log group, each as one log event, in the stream of its account. Omits records of more than 256 KB. Runs in
 * the transaction of `work`.
 *
 * @throws LogGroupError  the group does not exist · the role does not exist, does not trust CloudTrail or does not allow the write
 */
export async function writeRecords(
  work: Work,
  decideRole: DecideRole,
  { trail, configuration }: DeliveringPeriod,
  { rows, organizationId }: TrailRecords,
): Promise<void> {
  const { CloudWatchLogsLogGroupArn: logGroupArn = '', CloudWatchLogsRoleArn: roleArn = '' } = configuration;
  const { accountId, homeRegion, name } = trail;
  const byStream = Map.groupBy(rows, (row) => logStreamOf(trail, row.accountId, organizationId));
  const request = { trail: { accountId, homeRegion, name }, logGroupArn, roleArn, streams: [...byStream.keys()] };
  const outcome = await decide(work.tx, decideRole, request, work.now);
  if (outcome === 'no such group') throw new LogGroupError('ResourceNotFoundException');
  if (outcome !== 'ok') throw new LogGroupError('AccessDeniedException');
  const logGroupName = logGroupNameOf(logGroupArn, trail) as string;
  for (const [logStreamName, ofStream] of byStream) {
    for (const events of batchesOf(ofStream)) {
      const written = await writeAuthorized(work, { accountId, region: homeRegion, logGroupName, logStreamName, events });
      if (written !== 'written') throw new LogGroupError('InvalidParameterException');
    }
  }
}

/** Divides records into batches within the limits of PutLogEvents, in the order of their times. */
function batchesOf(rows: readonly TrailRow[]): readonly (readonly NewLogEvent[])[] {
  const batches: NewLogEvent[][] = [];
  let bytes = 0;
  let firstAt = 0;
  for (const { at, document } of rows.toSorted((a, b) => a.at - b.at)) {
    const size = Buffer.byteLength(document);
    if (size > RECORD_MAX_BYTES) continue;
    let batch = batches.at(-1);
    bytes += size + EVENT_BYTES;
    if (batch === undefined || bytes > BATCH_BYTES_MAX || batch.length >= EVENTS_MAX || at - firstAt > SPAN_MAX_MS) {
      batches.push((batch = []));
      bytes = size + EVENT_BYTES;
      firstAt = at;
    }
    batch.push({ timestamp: instant(at), message: document });
  }
  return batches;
}
