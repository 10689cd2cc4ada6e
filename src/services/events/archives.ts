/** Operations on archives. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { EventsApi } from '#model/generated/events.ts';
import type { ResourceKey, ResourceRecord } from '#store/resources.ts';
import type { Call, Caller, DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import { placeIn } from '../kit/resource-kind.ts';
import { ARCHIVE, ARCHIVES_MAX, type ArchiveDocument, archiveArn, DELETED_ARCHIVE, nextCheck } from './archive-records.ts';
import { busToChange, onBus } from './bus-access.ts';
import { busOfArn } from './bus-names.ts';
import { AwsError, invalid, invalidArn, invalidParameter, limitExceeded, noBus, refuseKey } from './errors.ts';
import { requireCost, requirePattern } from './event-pattern.ts';
import { pageOfStored, readByName } from './page.ts';
import { archivedEvents } from './tables/archived-events.ts';
import { type BusRecord, eventBuses } from './tables/event-buses.ts';

const archiveKey = (where: Pick<Caller, 'accountId' | 'region'>, id: string): ResourceKey => ({ ...placeIn(where), id });

function onArchive({ ArchiveName }: { readonly ArchiveName: string }, caller: Caller): DeclaredAccess {
  return { resources: [archiveArn(archiveKey(caller, ArchiveName))] };
}

/** Returns the permission on the bus of an archive or replay, which the policy of the bus also decides. */
export function onSource(busArn: string): DeclaredAccess {
  const key = busOfArn(busArn);
  return key === undefined ? { resources: [busArn] } : onBus(key);
}

export const archiveOperations = {
  /**
   * Creates an archive, which is enabled at once.
   *
   * @throws ResourceAlreadyExistsException  the region has an archive with this name
   * @throws ValidationException             the source is not a bus of the region, or the request has a KMS key
   * @throws ResourceNotFoundException       the bus does not exist
   * @throws InvalidEventPatternException    the pattern is invalid
   * @throws LimitExceededException          the region has 100 archives, or the patterns of the bus are too large together
   * Source: events 2015-10-07, CreateArchive; LocalStack, snapshots of its tests on AWS; floci, tests: the message about regions.
   */
  CreateArchive: {
    access: (input, caller) => [onArchive(input, caller), onSource(input.EventSourceArn)],
    async handle(call, input) {
      refuseKey(input.KmsKeyIdentifier);
      const key = archiveKey(call, input.ArchiveName);
      const { resources } = call.tx;
      if ((await resources.get(ARCHIVE, key)) !== undefined) {
        throw new AwsError('ResourceAlreadyExistsException', `Archive ${input.ArchiveName} already exists.`);
      }
      const bus = await sourceOrThrow(call, input.EventSourceArn);
      const cost = requirePattern(input.EventPattern);
      if ((await resources.count(ARCHIVE, key, ARCHIVES_MAX)) >= ARCHIVES_MAX) throw limitExceeded();
      requireCost(bus, cost);
      const { EventSourceArn, Description, EventPattern, RetentionDays = 0 } = input;
      const document = { archiveId: call.newId(), RetentionDays, cost, ...omitUndefined({ EventSourceArn, Description, EventPattern }) };
      await resources.add(ARCHIVE, {
        ...key,
        createdAt: call.now,
        updatedAt: call.now,
        tags: [],
        document,
        ...nextCheck(call.now, RetentionDays),
      });
      await call.tx.of(eventBuses).touch(bus, { archives: 1, cost });
      return { ArchiveArn: archiveArn(key), State: 'ENABLED', CreationTime: call.now };
    },
  },

  /**
   * Changes an archive. Omitted members stay.
   *
   * @throws ValidationException           the request changes nothing, or has a KMS key
   * @throws ResourceNotFoundException     the archive does not exist
   * @throws InvalidEventPatternException  the pattern is invalid
   * @throws LimitExceededException        the patterns of the bus are too large together
   */
  UpdateArchive: {
    access: onArchive,
    async handle(call, { ArchiveName, Description, EventPattern, RetentionDays, KmsKeyIdentifier }) {
      refuseKey(KmsKeyIdentifier);
      if ((EventPattern ?? RetentionDays ?? Description) === undefined) {
        throw invalid('At least one of EventPattern, RetentionDays or Description must be provided.');
      }
      const { expiresAt: _, ...before } = await archiveOrNotFound(call, ArchiveName);
      const cost = EventPattern === undefined ? undefined : await changedCost(call, before.document, EventPattern);
      const document = { ...before.document, ...omitUndefined({ Description, EventPattern, RetentionDays, cost }) };
      await call.tx.resources.put(ARCHIVE, { ...before, updatedAt: call.now, document, ...nextCheck(call.now, document.RetentionDays) });
      return { ArchiveArn: archiveArn(before), State: 'ENABLED', CreationTime: before.createdAt };
    },
  },

  /** Deletes an archive. A sweep deletes its events later. @throws ResourceNotFoundException  the archive does not exist */
  DeleteArchive: {
    access: onArchive,
    async handle(call, { ArchiveName }) {
      const { document, ...archive } = await archiveOrNotFound(call, ArchiveName);
      await call.tx.resources.remove(ARCHIVE, archive);
      const bus = busOfArn(document.EventSourceArn);
      if (bus !== undefined) await call.tx.of(eventBuses).touch(bus, { archives: -1, cost: -document.cost });
      const deleted = { ...placeIn(call), id: document.archiveId, createdAt: call.now, updatedAt: call.now, expiresAt: call.now };
      await call.tx.resources.add(DELETED_ARCHIVE, { ...deleted, tags: [], document: {} });
      return {};
    },
  },

  /** Returns an archive. Counts at most 100,000 events. @throws ResourceNotFoundException  the archive does not exist */
  DescribeArchive: {
    access: onArchive,
    async handle(call, { ArchiveName }) {
      const archive = await archiveOrNotFound(call, ArchiveName);
      const { Description, EventPattern } = archive.document;
      const { count, bytes } = await call.tx.of(archivedEvents).size(archive.document.archiveId);
      const sizes = { SizeBytes: bytes, EventCount: count };
      return omitUndefined({ ArchiveArn: archiveArn(archive), ...toArchive(archive), ...sizes, Description, EventPattern });
    },
  },

  /** Lists archives in the order of names, without their sizes. @throws ResourceNotFoundException  the bus of the filter does not exist */
  ListArchives: {
    async handle(call, input) {
      if (input.EventSourceArn !== undefined) await sourceOrThrow(call, input.EventSourceArn);
      const read = (after: string, limit: number) => call.tx.resources.list(ARCHIVE, placeIn(call), limit, after);
      const keep = ({ document }: ResourceRecord<ArchiveDocument>) =>
        (input.EventSourceArn === undefined || document.EventSourceArn === input.EventSourceArn) &&
        (input.State ?? 'ENABLED') === 'ENABLED';
      const { records, rest } = await pageOfStored(
        call.tx.identity,
        input,
        readByName(read, ({ id }) => id, input.NamePrefix),
        keep,
      );
      return { Archives: records.map(toArchive), ...rest };
    },
  },
} satisfies Partial<ServiceOperations<EventsApi>>;

/**
 * Returns the bus of an archive.
 *
 * @throws ValidationException        the ARN is not that of a bus, or the bus is in another region
 * @throws ResourceNotFoundException  the bus does not exist in the account
 */
async function sourceOrThrow(call: Call, eventSourceArn: string): Promise<BusRecord> {
  const key = busOfArn(eventSourceArn);
  if (key === undefined) throw invalidArn(eventSourceArn);
  if (key.region !== call.region) throw invalidParameter('EventSourceArn', 'Creating cross-region archive is not permitted.');
  if (key.accountId !== call.accountId) throw noBus(key.busName);
  return await busToChange(call, key);
}

/** Changes the cost of the patterns of an archive's bus. Returns the cost of the new pattern. A deleted bus has no limit. */
async function changedCost(call: Call, { EventSourceArn, cost: before }: ArchiveDocument, pattern: string): Promise<number> {
  const cost = requirePattern(pattern);
  const key = busOfArn(EventSourceArn);
  const bus = key && (await call.tx.of(eventBuses).bus(key));
  if (bus === undefined) return cost;
  requireCost(bus, cost, before);
  await call.tx.of(eventBuses).touch(bus, { cost: cost - before });
  return cost;
}

/** @throws ResourceNotFoundException */
async function archiveOrNotFound(call: Call, name: string): Promise<ResourceRecord<ArchiveDocument>> {
  const found = await call.tx.resources.get(ARCHIVE, archiveKey(call, name));
  if (found === undefined) throw new AwsError('ResourceNotFoundException', `Archive ${name} does not exist.`);
  return found;
}

function toArchive({ id, createdAt, document }: ResourceRecord<ArchiveDocument>) {
  const { EventSourceArn, RetentionDays } = document;
  return { ArchiveName: id, EventSourceArn, State: 'ENABLED' as const, RetentionDays, CreationTime: createdAt };
}
