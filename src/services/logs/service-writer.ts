/** Log events that the server itself writes: targets of rules, log groups of trails, and SIP logs. */
import { authorizeService } from '#access/service-authorization.ts';
import type { InputLogEvent } from '#model/generated/logs.ts';
import type { Work } from '../kit/events.ts';
import type { LogBatch, LogWrite, LogWriter, NewLogEvent } from '../kit/log-events.ts';
import { type GroupName, streamArn } from './names.ts';
import { BATCH_BYTES_MAX, EVENT_BYTES, SPAN_MAX_MS, storeEvents } from './put-events.ts';
import { newStream } from './streams.ts';
import { type LogGroupRecord, logGroups } from './tables/groups.ts';
import { resourcePolicies } from './tables/resource-policies.ts';
import { logStreams } from './tables/streams.ts';

/** Maximum number of events of a batch. Source: logs 2014-03-28, PutLogEvents. */
const EVENTS_MAX = 10_000;

/**
 * Writes log events as a service, if the resource policies of the group's account allow it `logs:CreateLogStream` and
 * `logs:PutLogEvents` on the stream. Runs in the transaction of `work`.
 *
 * Source: CloudWatch Logs User Guide, "Logs sent to CloudWatch Logs", "Resource policies". A Deny in one policy wins over all others.
 */
export async function writeAsService(work: Work, writer: LogWriter, batch: LogBatch): Promise<LogWrite> {
  const group = await groupOf(work, batch);
  if (group === undefined) return 'no such group';
  if (!(await isAllowed(work, writer, group, batch.logStreamName))) return 'denied';
  return write(work, group, batch);
}

/**
 * Writes log events for a caller that is already authorized, such as a trail whose role has the permissions. Runs in the transaction of
 * `work`. Never returns `denied`.
 */
export async function writeAuthorized(work: Work, batch: LogBatch): Promise<LogWrite> {
  const group = await groupOf(work, batch);
  return group === undefined ? 'no such group' : write(work, group, batch);
}

function groupOf({ tx }: Work, { accountId, region, logGroupName }: LogBatch): Promise<LogGroupRecord | undefined> {
  return tx.of(logGroups).get({ accountId, region, name: logGroupName });
}

async function isAllowed({ tx, now }: Work, writer: LogWriter, group: GroupName, stream: string): Promise<boolean> {
  const { accountId, region } = group;
  const policies = await tx.of(resourcePolicies).of(accountId, region);
  const request = { ...writer, owner: accountId, resource: streamArn(group, stream), region, now };
  return (['logs:CreateLogStream', 'logs:PutLogEvents'] as const).every((action) => {
    const decisions = policies.map(({ document }) => authorizeService({ ...request, action, policy: document }));
    const isDenied = decisions.some((each) => !each.allowed && each.reason !== 'implicit');
    return !isDenied && decisions.some(({ allowed }) => allowed);
  });
}

async function write(work: Work, group: LogGroupRecord, { logStreamName, events }: LogBatch): Promise<LogWrite> {
  const sorted = events.map(toInput).sort((a, b) => a.timestamp - b.timestamp);
  const bytes = sorted.reduce((sum, { message }) => sum + Buffer.byteLength(message) + EVENT_BYTES, 0);
  const span = (sorted.at(-1)?.timestamp ?? 0) - (sorted[0]?.timestamp ?? 0);
  if (sorted.length > EVENTS_MAX || bytes > BATCH_BYTES_MAX || span > SPAN_MAX_MS) return 'too large';
  const streams = work.tx.of(logStreams);
  let stream = await streams.get(group.groupId, logStreamName);
  if (stream === undefined) {
    stream = newStream(work, group.groupId, logStreamName);
    await streams.add(stream);
  }
  await storeEvents(work, group, stream, sorted);
  return 'written';
}

function toInput({ timestamp, message }: NewLogEvent): InputLogEvent {
  if (Buffer.byteLength(message) <= BATCH_BYTES_MAX - EVENT_BYTES) return { timestamp, message };
  return { timestamp, message: cutToBytes(message, BATCH_BYTES_MAX - EVENT_BYTES) };
}

/** Returns the longest start of a string with at most `most` bytes, without a part of a character at its end. */
function cutToBytes(text: string, most: number): string {
  const bytes = Buffer.from(text, 'utf8');
  let end = most;
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end);
}
