/** Operations on replays. `replay-steps.ts` passes the archived events to buses again. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { EventsApi, Replay, StartReplayRequest } from '#model/generated/events.ts';
import type { ResourceKey, ResourceRecord } from '#store/resources.ts';
import type { Call, Caller, DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import { placeIn } from '../kit/resource-kind.ts';
import { ACTIVE_REPLAY, ARCHIVE, REPLAY, type ReplayDocument, replayArn } from './archive-records.ts';
import { onSource } from './archives.ts';
import { busOrNotFound } from './bus-access.ts';
import { busOfArn } from './bus-names.ts';
import { AwsError, invalidArn, invalidParameter, limitExceeded } from './errors.ts';
import { pageOfStored, readByName } from './page.ts';

/** Maximum number of active replays of a region. Source: LocalStack, snapshots of its tests on AWS. */
const ACTIVE_MAX = 10;
/** Maximum number of stored replays of a region, including finished ones. Assumed. */
const REPLAYS_MAX = 1_000;

const replayKey = (where: Pick<Caller, 'accountId' | 'region'>, id: string): ResourceKey => ({ ...placeIn(where), id });

function onReplay({ ReplayName }: { readonly ReplayName: string }, caller: Caller): DeclaredAccess {
  return { resources: [replayArn(replayKey(caller, ReplayName))] };
}

export const replayOperations = {
  /**
   * Starts a replay of the events that an archive received in an interval. The server that routes events passes them to the bus in the order of their times.
   *
   * @throws ResourceAlreadyExistsException  the region has a replay with this name
   * @throws ValidationException             the interval, the archive or the destination is invalid
   * @throws ResourceNotFoundException       the destination does not exist
   * @throws LimitExceededException          10 replays are active
   * Source: events 2015-10-07, StartReplay; LocalStack, snapshots of its tests on AWS.
   */
  StartReplay: {
    access: (input, caller) => [
      { resources: [input.EventSourceArn, replayArn(replayKey(caller, input.ReplayName))] },
      onSource(input.Destination.Arn),
    ],
    async handle(call, input) {
      const key = replayKey(call, input.ReplayName);
      const { resources } = call.tx;
      if ((await resources.get(REPLAY, key)) !== undefined) {
        throw new AwsError('ResourceAlreadyExistsException', `Replay ${input.ReplayName} already exists.`);
      }
      const archiveId = await requireSource(call, input);
      const stored = await resources.list(REPLAY, key, REPLAYS_MAX);
      const active = stored.filter(({ document }) => ACTIVE_REPLAY.has(document.State));
      if (active.length >= ACTIVE_MAX || stored.length >= REPLAYS_MAX) throw limitExceeded();
      const { Description, EventSourceArn, Destination, EventStartTime, EventEndTime } = input;
      const document: ReplayDocument = {
        ...omitUndefined({ Description, EventSourceArn, Destination, EventStartTime, EventEndTime }),
        archiveId,
        State: 'STARTING',
        ReplayStartTime: call.now,
      };
      await resources.add(REPLAY, { ...key, createdAt: call.now, updatedAt: call.now, expiresAt: call.now, tags: [], document });
      return { ReplayArn: replayArn(key), State: 'STARTING', ReplayStartTime: call.now };
    },
  },

  /**
   * Cancels a replay. Events that it passed to the bus already are delivered.
   *
   * @throws ResourceNotFoundException  the replay does not exist
   * @throws IllegalStatusException     the replay has ended. Source of the message: moto's tests
   */
  CancelReplay: {
    access: onReplay,
    async handle(call, { ReplayName }) {
      const replay = await replayOrNotFound(call, ReplayName);
      if (!ACTIVE_REPLAY.has(replay.document.State) || replay.document.State === 'CANCELLING') {
        throw new AwsError('IllegalStatusException', `Replay ${ReplayName} is not in a valid state for this operation.`);
      }
      await call.tx.resources.put(REPLAY, { ...replay, document: { ...replay.document, State: 'CANCELLING' } });
      return { ReplayArn: replayArn(replay), State: 'CANCELLING' };
    },
  },

  /** Returns a replay. @throws ResourceNotFoundException  the replay does not exist */
  DescribeReplay: {
    access: onReplay,
    async handle(call, { ReplayName }) {
      const replay = await replayOrNotFound(call, ReplayName);
      const { Description, Destination } = replay.document;
      return omitUndefined({ ...toReplay(replay), ReplayArn: replayArn(replay), Description, Destination });
    },
  },

  /** Lists replays in the order of names. */
  ListReplays: {
    async handle(call, input) {
      const read = (after: string, limit: number) => call.tx.resources.list(REPLAY, placeIn(call), limit, after);
      const keep = ({ document }: ResourceRecord<ReplayDocument>) =>
        (input.EventSourceArn === undefined || document.EventSourceArn === input.EventSourceArn) &&
        (input.State === undefined || document.State === input.State);
      const { records, rest } = await pageOfStored(
        call.tx.identity,
        input,
        readByName(read, ({ id }) => id, input.NamePrefix),
        keep,
      );
      return { Replays: records.map(toReplay), ...rest };
    },
  },
} satisfies Partial<ServiceOperations<EventsApi>>;

/** Checks the interval, the archive and the destination of a replay. Returns the ID of the archive. */
async function requireSource(call: Call, input: StartReplayRequest): Promise<string> {
  if (input.EventStartTime >= input.EventEndTime) {
    throw invalidParameter('EventEndTime', 'EventStartTime must be before EventEndTime.');
  }
  const name = input.EventSourceArn.slice(input.EventSourceArn.lastIndexOf('/') + 1);
  const archive = await call.tx.resources.get(ARCHIVE, replayKey(call, name));
  if (archive === undefined || !input.EventSourceArn.endsWith(`:${call.region}:${call.accountId}:archive/${name}`)) {
    throw invalidParameter('EventSourceArn', `Archive ${name} does not exist.`);
  }
  if (input.Destination.Arn !== archive.document.EventSourceArn) {
    const bus = busOfArn(input.Destination.Arn);
    if (bus === undefined) throw invalidArn(input.Destination.Arn);
    await busOrNotFound(call, bus);
    throw invalidParameter('Destination.Arn', 'Cross event bus replay is not permitted.');
  }
  return archive.document.archiveId;
}

/** @throws ResourceNotFoundException */
async function replayOrNotFound(call: Call, name: string): Promise<ResourceRecord<ReplayDocument>> {
  const found = await call.tx.resources.get(REPLAY, replayKey(call, name));
  if (found === undefined) throw new AwsError('ResourceNotFoundException', `Replay ${name} does not exist.`);
  return found;
}

function toReplay({ id, document }: ResourceRecord<ReplayDocument>): Replay {
  const { EventSourceArn, State, EventStartTime, EventEndTime, last, ReplayStartTime, ReplayEndTime } = document;
  const EventLastReplayedTime = last?.at;
  return omitUndefined({
    ReplayName: id,
    EventSourceArn,
    State,
    EventStartTime,
    EventEndTime,
    EventLastReplayedTime,
    ReplayStartTime,
    ReplayEndTime,
  });
}
