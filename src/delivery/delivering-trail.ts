/** A period of a trail as the delivery sees it: which records it receives, and by which settings they are delivered. */
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import { SERVICES } from '#model/services.ts';
import { DEFAULT_SELECTORS } from '#services/cloudtrail/basic-selectors.ts';
import type { LoggingPeriod, TrailConfiguration } from '#services/cloudtrail/tables/logging-periods.ts';
import type { TrailRecord, TrailSelectors } from '#services/cloudtrail/tables/trails.ts';
import { trailArn } from '#services/cloudtrail/trail-names.ts';
import { organizationOf } from '#services/organizations/lookup.ts';
import type { Tx } from '#store/store.ts';
import type { TrailRow } from '#store/trail/trail-row.ts';
import { LATEST_MS } from '#store/trail/trail-search.ts';
import { compileSelectors, factsOfRow, type Selectors, type Selects } from './selectors.ts';

/** Organization of an account. */
export interface OrganizationPlace {
  readonly managementAccountId: AccountId;
  readonly organizationId: string;
}

/** Returns the organization of an account, or `undefined`. */
export async function organizationPlace(tx: Tx, accountId: AccountId): Promise<OrganizationPlace | undefined> {
  const organization = await organizationOf(tx, accountId);
  return organization && { managementAccountId: organization.accountId, organizationId: organization.organizationId };
}

/** A period of a pending trail, with the settings of the period. Each period is delivered independently of the others. */
export interface DeliveringPeriod {
  /** The trail. Its configuration can be a later one. */
  readonly trail: TrailRecord;
  readonly period: LoggingPeriod;
  readonly configuration: TrailConfiguration;
  readonly arn: string;
  readonly selects: Selects;
}

/** Returns the ID of a period of a trail: that of the request that began it. */
export function periodId({ startRequestId, changeRequestId }: LoggingPeriod): string {
  return changeRequestId ?? startRequestId;
}

/** Returns the ID with which failed writes of a period to its log group are stored. */
export function logsRetryId(period: LoggingPeriod): string {
  return `${periodId(period)} logs`;
}

/** Returns the configuration of a trail in a period. */
export function configurationOf({ configuration }: TrailRecord, { former }: LoggingPeriod): TrailConfiguration {
  return former?.configuration ?? configuration;
}

/** Returns the selectors of a trail, or the default. */
function selectorsOf(selectors: TrailSelectors | undefined): Selectors {
  if (selectors?.advancedEventSelectors !== undefined) return { advanced: selectors.advancedEventSelectors };
  return { basic: selectors?.eventSelectors ?? DEFAULT_SELECTORS };
}

/** Returns the test whether selectors of a trail select an event. */
export function selectsOf(selectors: TrailSelectors | undefined): Selects {
  return compileSelectors(selectorsOf(selectors));
}

/** Returns a period with its settings. `selectors` are those of the period. */
export function deliveringPeriod(trail: TrailRecord, period: LoggingPeriod, selectors: TrailSelectors | undefined): DeliveringPeriod {
  return { trail, period, configuration: configurationOf(trail, period), arn: trailArn(trail), selects: selectsOf(selectors) };
}

/** Event sources of services without regions. Source: record.md B2, `IncludeGlobalServiceEvents`. */
const GLOBAL_SOURCES: ReadonlySet<string> = new Set(
  Object.values(SERVICES).flatMap(({ global, eventSource }) => (global ? [eventSource] : [])),
);

/**
 * Reports whether a trail records an event in a period. The event belongs to the trail's account or, for an organization trail, to an
 * account of the organization; the caller checks this.
 */
export function receives({ trail, period, configuration, selects }: DeliveringPeriod, row: TrailRow): boolean {
  return isInRegions(trail.homeRegion, configuration, row) && isInPeriod(period, row) && selects(factsOfRow(row));
}

/** A trail of one region records its home region. It records services without regions only if it includes global service events. */
function isInRegions(homeRegion: string, configuration: TrailConfiguration, { region, eventSource }: TrailRow): boolean {
  if (configuration.IsMultiRegionTrail) return true;
  return region === homeRegion && (configuration.IncludeGlobalServiceEvents || !GLOBAL_SOURCES.has(eventSource));
}

/**
 * Reports whether a record is in a period. A record is created some milliseconds after its request was handled, so the record of the request
 * that ends a period is later than the end. It belongs only to the period that it ends.
 *
 * A record of the same millisecond as a change is in both periods, because its time does not show whether it was committed before or after
 * the change. So such a record can be delivered twice, but is never omitted.
 */
function isInPeriod({ startedAt, changedAt, changeRequestId, stoppedAt, stopRequestId }: LoggingPeriod, row: TrailRow): boolean {
  if (row.at < (changedAt ?? startedAt)) return false;
  if (changeRequestId !== undefined && isRecordOf(changeRequestId, row)) return false;
  if (stoppedAt === undefined || row.at <= stoppedAt) return true;
  return stopRequestId !== undefined && row.at <= stoppedAt + LATEST_MS && isRecordOf(stopRequestId, row);
}

/** Reports whether a record is that of a request to CloudTrail. For an organization trail, an administrator's account has the record. */
function isRecordOf(requestId: string, { eventSource, document }: TrailRow): boolean {
  return eventSource === SERVICES.cloudtrail.eventSource && document.includes(`"requestID":${JSON.stringify(requestId)}`);
}

/** Time after which the records of a period are settled on every engine, in addition to the longest time of a request. */
const SETTLED_MS = 60_000;

/** Reports whether a period can receive no further records. All records before the time `readAt` have been read. */
export function isComplete({ stoppedAt }: LoggingPeriod, readAt: Instant): boolean {
  return stoppedAt !== undefined && readAt > stoppedAt + LATEST_MS + SETTLED_MS;
}
