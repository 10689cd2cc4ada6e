/**
 * Stored lifecycle configuration of a bucket. A rule without a prefix applies to every object. Only expiration of objects and
 * removal of incomplete multipart uploads exist.
 */
export interface LifecycleRecord {
  readonly rules: readonly LifecycleRule[];
}

/** Rule of a lifecycle configuration, in the spelling of the client's XML. */
export interface LifecycleRule {
  readonly id: string;
  readonly enabled: boolean;
  /** Prefix of the keys. `at` is the element of the request that contained it. */
  readonly prefix: string;
  readonly at: 'Prefix' | 'Filter' | 'Filter.Prefix' | 'And';
  readonly greaterThan?: number;
  readonly lessThan?: number;
  /** Age in days after which an object expires. */
  readonly days?: number;
  /** Midnight in UTC, in milliseconds since the epoch, from which objects are expired. */
  readonly dateMs?: number;
  /** Age in days after which the server removes an incomplete multipart upload. */
  readonly abortDays?: number;
}
