/**
 * Counts of requests by operation, status class and duration, for metrics. The counts are in one typed array, so a request costs a look-up of
 * its operation and two additions. Owns no names of metrics: see `server/metrics`.
 */
import type { OperationModel } from '#model/model.ts';
import type { ServiceName } from '#model/services.ts';
import type { CalledOperation, RoutingRefusal } from '#wire/routed.ts';
import { type Bounds, bucketOf } from './durations.ts';

/** Bounds of the durations of requests. The clock that measures them counts milliseconds. */
export const REQUEST_BOUNDS_MS: Bounds = [2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

/** Classes of the status of a response, as labels of metrics. */
export const STATUS_CLASSES = ['2xx', '3xx', '4xx', '5xx'] as const;

/** Name of a service or an operation that the server could not determine. */
export const UNKNOWN = 'unknown';

/** Counts of one operation. Plain data that can be sent between threads. */
export interface RequestFigures {
  readonly service: ServiceName | typeof UNKNOWN;
  readonly operation: string;
  /** Number of requests by status class and bucket: the buckets of `2xx` first. Not cumulative. */
  readonly counts: Float64Array;
  readonly sumMs: number;
}

export interface RequestCounts {
  /** Counts a request that was answered with `status`. */
  count(called: CalledOperation | RoutingRefusal, status: number, milliseconds: number): void;
  figures(): readonly RequestFigures[];
}

const BUCKETS = REQUEST_BOUNDS_MS.length + 1;
/** Numbers of one operation: the counts, and the sum of the durations. */
const WIDTH = STATUS_CLASSES.length * BUCKETS + 1;
/** Maximum number of operations. The models have fewer, and their operations are the only ones that get counts of their own. */
const OPERATIONS_MAX = 2_048;
const OPERATIONS_AT_FIRST = 64;

/** Creates the counts of one server. A request with an unknown operation counts for its service only. */
export function newRequestCounts(): RequestCounts {
  /** Places by operation of a model, and by service for unknown operations. */
  const places = new Map<OperationModel | ServiceName | typeof UNKNOWN, number>();
  const names: Pick<RequestFigures, 'service' | 'operation'>[] = [];
  let values = new Float64Array(OPERATIONS_AT_FIRST * WIDTH);

  function newPlace(called: CalledOperation | RoutingRefusal): number {
    const service = called.service ?? UNKNOWN;
    const isKnown = called.kind === 'routed' && names.length < OPERATIONS_MAX;
    const key = isKnown ? called.operation : service;
    const known = places.get(key);
    if (known !== undefined) return known;
    const place = names.push({ service, operation: isKnown ? called.operation.name : UNKNOWN }) - 1;
    places.set(key, place);
    if (names.length * WIDTH > values.length) {
      const larger = new Float64Array(values.length * 2);
      larger.set(values);
      values = larger;
    }
    return place;
  }

  return {
    count(called, status, milliseconds) {
      const place = places.get(called.kind === 'routed' ? called.operation : (called.service ?? UNKNOWN)) ?? newPlace(called);
      const at = place * WIDTH;
      const statusClass = status < 300 ? 0 : status < 400 ? 1 : status < 500 ? 2 : 3;
      // The wall clock can go back.
      const elapsed = milliseconds > 0 ? milliseconds : 0;
      values[at + statusClass * BUCKETS + bucketOf(REQUEST_BOUNDS_MS, elapsed)]! += 1;
      values[at + WIDTH - 1]! += elapsed;
    },
    figures: () =>
      names.map((name, place) => {
        const at = place * WIDTH;
        return { ...name, counts: values.slice(at, at + WIDTH - 1), sumMs: values[at + WIDTH - 1] as number };
      }),
  };
}
