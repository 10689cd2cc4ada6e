/** Operations on log streams. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { LogStream, LogsApi } from '#model/generated/logs.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { AwsError, invalidParameter, invalidToken, noSuchStream } from './errors.ts';
import { groupOrNotFound, onGroup, referencedGroup, streamArn } from './names.ts';
import { afterKey, restAfter, sizeOf } from './page.ts';
import { logDeletions } from './tables/deletions.ts';
import type { LogGroupRecord } from './tables/groups.ts';
import { type LogStreamRecord, logStreams } from './tables/streams.ts';

/**
 * Operations on log streams.
 *
 * @throws ResourceNotFoundException  the group or the stream does not exist
 */
export const streamOperations = {
  /** @throws ResourceAlreadyExistsException  Source: events.md §5, the message */
  CreateLogStream: {
    access: ({ logGroupName, logStreamName }, caller) => onGroup({ ...caller, name: logGroupName }, logStreamName),
    async handle(call, { logGroupName, logStreamName: name }) {
      const { groupId } = await groupOrNotFound(call, { ...call, name: logGroupName });
      if ((await call.tx.of(logStreams).add(newStream(call, groupId, name))) === 'exists') {
        throw new AwsError('ResourceAlreadyExistsException', 'The specified log stream already exists');
      }
      return {};
    },
  },

  /**
   * Returns log streams, by name or by the time of the last event.
   *
   * @throws InvalidParameterException  a prefix with the order LastEventTime (source: public error reports) · a token of another request
   */
  DescribeLogStreams: {
    access: (input, caller) => onGroup(referencedGroup(input, caller)),
    async handle(call, input) {
      const { logStreamNamePrefix: prefix = '', orderBy = 'LogStreamName', descending = false } = input;
      const order = orderBy === 'LastEventTime' ? 'last event' : 'name';
      if (order === 'last event' && prefix !== '') throw invalidParameter('Cannot order by LastEventTime with a logStreamNamePrefix.');
      const group = await groupOrNotFound(call, referencedGroup(input, call));
      const scope = JSON.stringify([group.groupId, prefix, order, descending]);
      const from = positionIn(afterKey(input), scope);
      const size = sizeOf(input);
      const found = await call.tx.of(logStreams).list(group.groupId, { prefix, order, descending, from, limit: size + 1 });
      const shown = found.slice(0, size);
      const last = found.length > size ? shown.at(-1) : undefined;
      return {
        logStreams: shown.map((stream) => shownStream(group, stream)),
        ...restAfter(last && JSON.stringify([scope, last.lastEventAt, last.name])),
      };
    },
  },

  /** Deletes a log stream. A sweep deletes its events later. */
  DeleteLogStream: {
    access: ({ logGroupName, logStreamName }, caller) => onGroup({ ...caller, name: logGroupName }, logStreamName),
    async handle(call, { logGroupName, logStreamName }) {
      const { groupId } = await groupOrNotFound(call, { ...call, name: logGroupName });
      const stream = await streamOrNotFound(call, groupId, logStreamName);
      await call.tx.of(logStreams).remove(groupId, logStreamName);
      await call.tx.of(logDeletions).add({ kind: 'stream', id: stream.streamId });
      return {};
    },
  },
} satisfies Partial<ServiceOperations<LogsApi>>;

/** Returns a stream without events. */
export function newStream({ now, newId }: Pick<Call, 'now' | 'newId'>, groupId: string, name: string): LogStreamRecord {
  return { groupId, name, streamId: newId(), createdAt: now, lastEventAt: 0 as LogStreamRecord['lastEventAt'], storedBytes: 0 };
}

/** @throws ResourceNotFoundException */
export async function streamOrNotFound({ tx }: Pick<Call, 'tx'>, groupId: string, name: string): Promise<LogStreamRecord> {
  const stream = await tx.of(logStreams).get(groupId, name);
  if (stream === undefined) throw noSuchStream();
  return stream;
}

/** Returns the position in a page key. @throws InvalidParameterException  the key is of another request */
function positionIn(key: string | undefined, scope: string): Pick<LogStreamRecord, 'lastEventAt' | 'name'> | undefined {
  if (key === undefined) return undefined;
  const [of, lastEventAt, name] = JSON.parse(key) as [string, LogStreamRecord['lastEventAt'], string];
  if (of !== scope) throw invalidToken();
  return { lastEventAt, name };
}

/** Source: logs 2014-03-28, LogStream: `storedBytes` is always 0, since June 2019. */
function shownStream(group: LogGroupRecord, stream: LogStreamRecord): LogStream {
  const { name, createdAt, firstEventAt, lastEventAt, lastIngestionAt } = stream;
  return {
    ...{ logStreamName: name, creationTime: createdAt, arn: streamArn(group, name), storedBytes: 0 },
    ...omitUndefined({
      firstEventTimestamp: firstEventAt,
      lastEventTimestamp: firstEventAt === undefined ? undefined : lastEventAt,
      lastIngestionTime: lastIngestionAt,
    }),
  };
}
