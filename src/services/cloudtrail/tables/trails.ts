/**
 * Trails: their configuration, when they logged, and how far they have been delivered. The delivery of log files writes
 * the members that begin with `delivered` or belong to `CLOUDTRAIL_DELIVERY`. The operations of CloudTrail write the rest.
 */
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { AdvancedEventSelector, EventSelector, GetEventConfigurationResponse, InsightSelector } from '#model/generated/cloudtrail.ts';
import type { Sql } from '#store/sql.ts';
import { countOf, flag, instant, int, json, optional, type Row, table, text, textOf } from '#store/table.ts';
import type { TagRecord } from '#store/tag-record.ts';
import {
  closed,
  completePosition,
  isOpen,
  type LoggingPeriod,
  positionsAt,
  selectorIds,
  type TrailConfiguration,
} from './logging-periods.ts';

/**
 * Trails. A trail is *logging* if its last period is open. It is *pending* if it is logging, or if records of an earlier
 * period are not delivered yet. A deleted trail stays until its records are delivered, but no operation finds it.
 */
export const CLOUDTRAIL_TRAIL = table('cloudtrail_trail', {
  columns: {
    /** Random ID. A trail that is deleted and created again has another ID. */
    trailId: text,
    /** Owner. The management account owns the trails of an organization. */
    accountId: textOf<AccountId>(),
    homeRegion: text,
    name: text,
    configuration: json<TrailConfiguration>(),
    /** Whether its selectors select any data events. */
    selectsData: flag,
    /** Whether it has selectors other than the default. */
    customSelectors: flag,
    /** Whether it has insight selectors. */
    insights: flag,
    createdAt: instant,
    deletedAt: optional(instant),
    logging: flag,
    pending: flag,
    /** Whether a period has records that are not in the log group of the trail yet. */
    logsPending: flag,
    /** Time of the last StartLogging and of the last StopLogging. */
    startedAt: optional(instant),
    stoppedAt: optional(instant),
    /** Periods that are not delivered completely, the oldest first. Empty exactly if the trail is not pending. */
    periods: json<readonly LoggingPeriod[]>(),
    /**
     * Position in the record up to which the delivery of all regions is complete, this position included: the lowest
     * position of the periods, in files or log groups. A pending trail has a position.
     */
    deliveredPosition: optional(int),
  },
  key: ['trailId'],
  indexes: [
    { columns: ['accountId', 'homeRegion', 'name'], unique: true, where: 'deleted_at_ms IS NULL' },
    { columns: ['pending', 'trailId'], where: 'pending = 1' },
    { columns: ['accountId', 'trailId'], where: 'pending = 1' },
    { columns: ['logsPending', 'trailId'], where: 'logs_pending = 1' },
    { columns: ['accountId', 'selectsData', 'trailId'], where: 'logging = 1' },
  ],
});
export type TrailRecord = Row<typeof CLOUDTRAIL_TRAIL>;

/** Event configuration of a trail, with the members of the model. */
export type EventConfiguration = Omit<GetEventConfigurationResponse, 'TrailARN' | 'EventDataStoreArn'>;

/**
 * Settings of trails that lists of trails do not need: selectors, which can have 500 values of 2,048 characters, and tags.
 * A trail without selectors has the default: all management events.
 */
export const CLOUDTRAIL_SETTINGS = table('cloudtrail_settings', {
  columns: {
    trailId: text,
    /** At most one of the two lists is set. */
    eventSelectors: optional(json<readonly EventSelector[]>()),
    advancedEventSelectors: optional(json<readonly AdvancedEventSelector[]>()),
    insightSelectors: optional(json<readonly InsightSelector[]>()),
    eventConfiguration: optional(json<EventConfiguration>()),
    tags: json<readonly TagRecord[]>(),
  },
  key: ['trailId'],
});
export type TrailSettings = Row<typeof CLOUDTRAIL_SETTINGS>;

/** Selectors of earlier periods of trails. A row stays while a period refers to it. */
export const CLOUDTRAIL_FORMER_SELECTORS = table('cloudtrail_former_selectors', {
  columns: {
    trailId: text,
    /** ID of the request that replaced the settings. */
    selectorsId: text,
    eventSelectors: optional(json<readonly EventSelector[]>()),
    advancedEventSelectors: optional(json<readonly AdvancedEventSelector[]>()),
  },
  key: ['trailId', 'selectorsId'],
});

/** Event selectors of a trail. A trail without selectors has the default. */
export type TrailSelectors = Pick<TrailSettings, 'eventSelectors' | 'advancedEventSelectors'>;

/** Delivery of a trail in a region. GetTrailStatus returns these members, except the position. */
export const CLOUDTRAIL_DELIVERY = table('cloudtrail_delivery', {
  columns: {
    trailId: text,
    region: text,
    /** Position up to which the records of this region are delivered. */
    position: optional(int),
    deliveredAt: optional(instant),
    /** Code of the last failed delivery. Absent after a success. */
    deliveryError: optional(text),
    attemptedAt: optional(instant),
    notifiedAt: optional(instant),
    notificationError: optional(text),
    notificationAttemptedAt: optional(instant),
    digestAt: optional(instant),
    digestError: optional(text),
    /** Time of the last delivery to the log group, and code of the last failure. The code is absent after a success. */
    logsAt: optional(instant),
    logsError: optional(text),
  },
  key: ['trailId', 'region'],
});
export type DeliveryRecord = Row<typeof CLOUDTRAIL_DELIVERY>;

/** Key that names a trail. */
export type TrailName = Pick<TrailRecord, 'accountId' | 'homeRegion' | 'name'>;

/** Maximum number of periods that are not delivered completely. Each can have selectors of about 1 MiB. */
export const PERIODS_MAX = 16;

/** A request that starts the logging, or ends a period. */
export interface PeriodRequest {
  readonly at: Instant;
  readonly requestId: string;
  /** A position before that of the request's record. */
  readonly position: number;
}

/** Trails of all accounts. No method returns deleted trails, except those that say so. */
export interface Trails {
  /** Adds a trail with its settings. Returns 'exists', and changes nothing, if the account has this name in this home region. */
  add(trail: TrailRecord, settings: Omit<TrailSettings, 'trailId'>): Promise<'added' | 'exists'>;
  get(name: TrailName): Promise<TrailRecord | undefined>;
  /** Returns a trail by its ID, even if it is deleted. */
  byId(trailId: string): Promise<TrailRecord | undefined>;
  /** Returns all trails of an account, in the order of home regions and names. There are at most 5 for each region. */
  ofAccount(accountId: AccountId): Promise<readonly TrailRecord[]>;
  countOf(accountId: AccountId, homeRegion: string): Promise<number>;
  /** Returns the number of deleted trails with undelivered records. */
  countDeleted(accountId: AccountId, homeRegion: string): Promise<number>;
  /** Replaces the configuration and the members that summarize settings. */
  configure(
    trail: Pick<TrailRecord, 'trailId' | 'configuration' | 'selectsData' | 'customSelectors' | 'insights'>,
  ): Promise<'changed' | 'absent'>;
  settings(trailId: string): Promise<TrailSettings | undefined>;
  putSettings(settings: TrailSettings): Promise<void>;
  /** Opens a period. Does nothing if the trail is logging. Returns 'full', and changes nothing, if there are `PERIODS_MAX` periods. */
  start(trail: TrailRecord, request: PeriodRequest): Promise<'started' | 'full'>;
  /**
   * Keeps the present settings for the records until a request that changes them, this record included. If the trail is logging, the
   * open period ends and another one begins, with the configuration `next`. Call it before `configure` and `putSettings`, with the stored
   * trail.
   * Returns 'full', and changes nothing, if the trail is logging and there are `PERIODS_MAX` periods.
   */
  endSettings(trail: TrailRecord, request: PeriodRequest, next?: TrailConfiguration): Promise<'ended' | 'full'>;
  /** Returns the selectors of a period. Without `former`, they are the present ones. */
  selectorsOf(trailId: string, period: Pick<LoggingPeriod, 'former'>): Promise<TrailSelectors | undefined>;
  /** Closes the open period. Does nothing if the trail is not logging. */
  stop(trail: TrailRecord, stoppedAt: Instant, stopRequestId: string): Promise<void>;
  /**
   * Deletes a trail with its settings and delivery. A pending trail stays as a deleted trail, whose open period ends
   * with the request. `setPeriods` removes it.
   */
  remove(trail: TrailRecord, deletedAt: Instant, requestId: string): Promise<void>;
  /** Returns a page of the pending trails of all accounts, deleted ones included, in the order of IDs. */
  pending(after: string, limit: number): Promise<readonly TrailRecord[]>;
  /** Returns a page of the trails with records that are not in their log groups, deleted ones included, in the order of IDs. */
  logsPending(after: string, limit: number): Promise<readonly TrailRecord[]>;
  /** Returns the pending trails of accounts, deleted ones included. */
  pendingOf(accountIds: readonly AccountId[]): Promise<readonly TrailRecord[]>;
  /** Returns the trails of an account that are logging and select data events. One read of an index. */
  selectingData(accountId: AccountId): Promise<readonly TrailRecord[]>;
  /**
   * Stores how far the periods of a trail are delivered. A period that is not in the list is complete. Read the trail in the
   * same transaction, because a request can start, change or stop it at any time. Removes a deleted trail without periods.
   */
  setPeriods(trail: TrailRecord, periods: readonly LoggingPeriod[]): Promise<void>;
  delivery(trailId: string, region: string): Promise<DeliveryRecord | undefined>;
  /** Returns the deliveries of a trail in all regions, in the order of regions. */
  deliveries(trailId: string): Promise<readonly DeliveryRecord[]>;
  putDelivery(delivery: DeliveryRecord): Promise<void>;
}

/** Number of accounts that one statement selects. */
const ACCOUNTS_PAGE = 32;
/** Maximum number of regions of a trail, and of trails that one statement returns for an account. */
const ROWS_MAX = 1_000;

const { names } = CLOUDTRAIL_TRAIL;
const BY_NAME = `SELECT ${names} FROM cloudtrail_trail WHERE account_id = $1 AND home_region = $2 AND name = $3 AND deleted_at_ms IS NULL`;
const OF_ACCOUNT = `SELECT ${names} FROM cloudtrail_trail WHERE account_id = $1 AND deleted_at_ms IS NULL ORDER BY home_region, name`;
const COUNT = 'SELECT COUNT(*) AS count FROM cloudtrail_trail WHERE account_id = $1 AND home_region = $2 AND deleted_at_ms IS NULL';
const COUNT_DELETED = `
  SELECT COUNT(*) AS count FROM cloudtrail_trail WHERE account_id = $1 AND pending = 1 AND home_region = $2 AND deleted_at_ms IS NOT NULL`;
const PENDING = `SELECT ${names} FROM cloudtrail_trail WHERE pending = 1 AND trail_id > $1 ORDER BY trail_id LIMIT $2`;
const LOGS_PENDING = `SELECT ${names} FROM cloudtrail_trail WHERE logs_pending = 1 AND trail_id > $1 ORDER BY trail_id LIMIT $2`;
const PENDING_OF = `
  SELECT ${names} FROM cloudtrail_trail WHERE pending = 1
  AND account_id IN (${Array.from({ length: ACCOUNTS_PAGE }, (_, i) => `$${i + 1}`).join(', ')}) ORDER BY account_id, trail_id`;
const SELECTING_DATA = `
  SELECT ${names} FROM cloudtrail_trail WHERE logging = 1 AND account_id = $1 AND selects_data = 1 ORDER BY trail_id LIMIT $2`;
const DELETE_DELIVERIES = 'DELETE FROM cloudtrail_delivery WHERE trail_id = $1';
const DELETE_FORMER = 'DELETE FROM cloudtrail_former_selectors WHERE trail_id = $1';

const configure = CLOUDTRAIL_TRAIL.update('configuration', 'selectsData', 'customSelectors', 'insights');
const setState = CLOUDTRAIL_TRAIL.update(
  'deletedAt',
  'logging',
  'pending',
  'logsPending',
  'startedAt',
  'stoppedAt',
  'periods',
  'deliveredPosition',
);

/** Creates the repository of one transaction. */
export function trails(sql: Sql): Trails {
  /** Stores the periods of a trail, and the members that follow from them. */
  async function save(trail: TrailRecord): Promise<void> {
    const { periods } = trail;
    const deliveredPosition = Math.min(...periods.map(completePosition));
    await setState(sql, {
      ...trail,
      pending: periods.length > 0,
      logsPending: periods.some(({ logsPosition }) => logsPosition !== undefined),
      logging: isOpen(periods.at(-1)),
      ...(periods.length > 0 && { deliveredPosition }),
    });
  }
  async function removeAll(trailId: string): Promise<void> {
    await CLOUDTRAIL_TRAIL.remove(sql, trailId);
    await CLOUDTRAIL_SETTINGS.remove(sql, trailId);
    await sql.run(DELETE_DELIVERIES, [trailId]);
    await sql.run(DELETE_FORMER, [trailId]);
  }

  return {
    async add(trail, settings) {
      const outcome = await CLOUDTRAIL_TRAIL.add(sql, trail);
      if (outcome === 'added') await CLOUDTRAIL_SETTINGS.put(sql, { ...settings, trailId: trail.trailId });
      return outcome;
    },
    get: ({ accountId, homeRegion, name }) => CLOUDTRAIL_TRAIL.row(sql, BY_NAME, [accountId, homeRegion, name]),
    byId: (trailId) => CLOUDTRAIL_TRAIL.get(sql, trailId),
    ofAccount: (accountId) => CLOUDTRAIL_TRAIL.rows(sql, OF_ACCOUNT, [accountId]),
    countOf: (accountId, homeRegion) => countOf(sql, COUNT, [accountId, homeRegion]),
    countDeleted: (accountId, homeRegion) => countOf(sql, COUNT_DELETED, [accountId, homeRegion]),
    configure: (trail) => configure(sql, trail),
    settings: (trailId) => CLOUDTRAIL_SETTINGS.get(sql, trailId),
    putSettings: (settings) => CLOUDTRAIL_SETTINGS.put(sql, settings),
    async start(trail, { at, requestId, position }) {
      if (trail.logging) return 'started';
      if (trail.periods.length >= PERIODS_MAX) return 'full';
      const period = { startedAt: at, startRequestId: requestId, ...positionsAt(position, trail.configuration) };
      await save({ ...trail, startedAt: at, periods: [...trail.periods, period] });
      return 'started';
    },
    async endSettings(trail, { at, requestId, position }, configurationOfNext = trail.configuration) {
      const { trailId, configuration, periods } = trail;
      const last = periods.at(-1);
      if (trail.logging && periods.length >= PERIODS_MAX) return 'full';
      if (last === undefined || periods.every(({ former }) => former !== undefined)) return 'ended';
      const { eventSelectors, advancedEventSelectors } = (await CLOUDTRAIL_SETTINGS.get(sql, trailId)) ?? {};
      const selectors = omitUndefined({ eventSelectors, advancedEventSelectors });
      await CLOUDTRAIL_FORMER_SELECTORS.put(sql, { trailId, selectorsId: requestId, ...selectors });
      const former = { configuration, selectorsId: requestId };
      const ended = closed(periods, at, requestId).map((period) => ({ former, ...period }));
      const { startedAt, startRequestId } = last;
      const positions = positionsAt(Math.max(last.deliveredPosition, position), configurationOfNext);
      const next = { startedAt, startRequestId, changedAt: at, changeRequestId: requestId, ...positions };
      await save({ ...trail, periods: trail.logging ? [...ended, next] : ended });
      return 'ended';
    },
    selectorsOf: (trailId, { former }) =>
      former === undefined ? CLOUDTRAIL_SETTINGS.get(sql, trailId) : CLOUDTRAIL_FORMER_SELECTORS.get(sql, trailId, former.selectorsId),
    async stop(trail, stoppedAt, stopRequestId) {
      if (trail.logging) await save({ ...trail, stoppedAt, periods: closed(trail.periods, stoppedAt, stopRequestId) });
    },
    async remove(trail, deletedAt, requestId) {
      if (trail.pending) await save({ ...trail, deletedAt, periods: closed(trail.periods, deletedAt, requestId) });
      else await removeAll(trail.trailId);
    },
    pending: (after, limit) => CLOUDTRAIL_TRAIL.rows(sql, PENDING, [after, limit]),
    logsPending: (after, limit) => CLOUDTRAIL_TRAIL.rows(sql, LOGS_PENDING, [after, limit]),
    async pendingOf(accountIds) {
      const found: TrailRecord[] = [];
      for (let from = 0; from < accountIds.length; from += ACCOUNTS_PAGE) {
        const page = accountIds.slice(from, from + ACCOUNTS_PAGE);
        const filled = Array.from({ length: ACCOUNTS_PAGE }, (_, each) => page[each] ?? (page[0] as AccountId));
        found.push(...(await CLOUDTRAIL_TRAIL.rows(sql, PENDING_OF, filled)));
      }
      return found;
    },
    selectingData: (accountId) => CLOUDTRAIL_TRAIL.rows(sql, SELECTING_DATA, [accountId, ROWS_MAX]),
    async setPeriods(trail, periods) {
      const { trailId } = trail;
      if (trail.deletedAt !== undefined && periods.length === 0) return removeAll(trailId);
      const kept = selectorIds(periods);
      for (const selectorsId of selectorIds(trail.periods))
        if (!kept.has(selectorsId)) await CLOUDTRAIL_FORMER_SELECTORS.remove(sql, trailId, selectorsId);
      await save({ ...trail, periods });
    },
    delivery: (trailId, region) => CLOUDTRAIL_DELIVERY.get(sql, trailId, region),
    deliveries: (trailId) => CLOUDTRAIL_DELIVERY.page(sql, [trailId], [''], ROWS_MAX),
    putDelivery: (delivery) => CLOUDTRAIL_DELIVERY.put(sql, delivery),
  };
}
