/** Periods of trails, in which they log with the same settings: requests that begin or end one. */
import { positionAt } from '#store/engine/position.ts';
import { LATEST_MS } from '#store/trail/trail-search.ts';
import type { Call } from '../kit/operation.ts';
import { AwsError } from './errors.ts';
import type { TrailConfiguration } from './tables/logging-periods.ts';
import { type PeriodRequest, type TrailRecord, trails } from './tables/trails.ts';

/** Returns the request that begins or ends a period. */
function requestOf({ now, requestId }: Pick<Call, 'now' | 'requestId'>): PeriodRequest {
  // The record of this request gets a later position. The margin allows for clocks of servers that differ.
  return { at: now, requestId, position: positionAt(now - LATEST_MS) };
}

/** Starts the logging of a trail, unless it is logging. @throws ConflictException  see `tooManyPeriods` */
export async function startPeriod(call: Call, trail: TrailRecord): Promise<void> {
  if ((await call.tx.of(trails).start(trail, requestOf(call))) === 'full') throw tooManyPeriods();
}

/**
 * Keeps the present settings of a trail for the records until this request. Call it before the settings change. `next` is the configuration
 * after the change, if it changes.
 *
 * @throws ConflictException  see `tooManyPeriods`
 */
export async function endSettings(call: Call, trail: TrailRecord, next?: TrailConfiguration): Promise<void> {
  if ((await call.tx.of(trails).endSettings(trail, requestOf(call), next)) === 'full') throw tooManyPeriods();
}

/**
 * Returns the error for more than 16 starts and changes whose records can still arrive or are not delivered. It limits the
 * settings that a caller can store with repeated changes. Records can arrive for 16 minutes.
 *
 * Source: CloudTrail API reference, UpdateTrail, PutEventSelectors and StartLogging: ConflictException, "wait a few minutes".
 * Assumed: the limit and the message. Not ThrottlingException, because clients repeat it within seconds.
 */
function tooManyPeriods(): Error {
  return new AwsError(
    'ConflictException',
    'Records of earlier settings of the trail are being delivered. Wait a few minutes, and then try again.',
  );
}

/** Reports whether two values have the same JSON. */
export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
