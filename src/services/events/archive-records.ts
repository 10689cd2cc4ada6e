/** Stored archives and replays. */
import { arn } from '#core/arn.ts';
import { HOUR_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { CreateArchiveRequest, ReplayDestination, ReplayState } from '#model/generated/events.ts';
import type { ResourceKey, ResourceKind, ResourceRecord } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import { busArn } from './bus-names.ts';
import type { ArchivePosition } from './tables/archived-events.ts';
import type { BusKey } from './tables/event-buses.ts';

export interface ArchiveDocument extends Pick<CreateArchiveRequest, 'EventSourceArn' | 'Description' | 'EventPattern'> {
  /** Random ID, under which the events are stored. */
  readonly archiveId: string;
  /** 0: events stay until the archive is deleted. */
  readonly RetentionDays: number;
  /** Cost of `EventPattern`: `patternCost`. */
  readonly cost: number;
}

/** Archives. The ID is the name. `expiresAt` is the time of the next deletion of expired events. */
export const ARCHIVE: ResourceKind<ArchiveDocument> = {
  name: 'archive',
  // Older records have no cost.
  upgrade: (stored) => ({ cost: 0, ...(stored as unknown as Omit<ArchiveDocument, 'cost'>) }),
};

/** Archives that were deleted, until their events are deleted. The ID is that of the archive. */
export const DELETED_ARCHIVE: ResourceKind<Readonly<Record<string, never>>> = { name: 'deleted-archive' };

export interface ReplayDocument {
  readonly Description?: string;
  readonly EventSourceArn: string;
  readonly archiveId: string;
  readonly Destination: ReplayDestination;
  readonly EventStartTime: Instant;
  readonly EventEndTime: Instant;
  readonly State: ReplayState;
  /** Last event that was passed to the bus. */
  readonly last?: ArchivePosition;
  readonly ReplayStartTime: Instant;
  readonly ReplayEndTime?: Instant;
}

/** Replays. The ID is the name. `expiresAt` is the time of its next turn until the replay ends, and then that of its deletion. */
export const REPLAY: ResourceKind<ReplayDocument> = { name: 'replay' };

/** Maximum number of archives of a region. Assumed: AWS publishes none. */
export const ARCHIVES_MAX = 100;

/** Returns the ARN of an archive. */
export function archiveArn({ accountId, region, id }: Pick<ResourceKey, 'accountId' | 'region' | 'id'>): string {
  return arn('events', region, accountId, `archive/${id}`);
}

/** Returns the ARN of a replay. */
export function replayArn({ accountId, region, id }: Pick<ResourceKey, 'accountId' | 'region' | 'id'>): string {
  return arn('events', region, accountId, `replay/${id}`);
}

/** Returns the archives of a bus. */
export async function archivesOf(tx: Tx, key: BusKey): Promise<readonly ResourceRecord<ArchiveDocument>[]> {
  const source = busArn(key);
  const all = await tx.resources.list(ARCHIVE, { accountId: key.accountId, region: key.region, parent: '' }, ARCHIVES_MAX);
  return all.filter(({ document }) => document.EventSourceArn === source);
}

/** Interval between two deletions of expired events of an archive. */
const RETENTION_CHECK_MS = HOUR_MS;

/** Returns `expiresAt` of an archive: the time of the next deletion of expired events. */
export function nextCheck(now: Instant, retentionDays: number): { readonly expiresAt?: Instant } {
  return retentionDays === 0 ? {} : { expiresAt: instant(now + RETENTION_CHECK_MS) };
}

/** States of replays that have not ended. */
export const ACTIVE_REPLAY: ReadonlySet<ReplayState> = new Set(['STARTING', 'RUNNING', 'CANCELLING']);
