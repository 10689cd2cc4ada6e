/** State of the delivery: log files that wait for their digest, and periods of trails whose delivery failed. */
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Sql } from '#store/sql.ts';
import { instant, int, type Row, table, text, textOf } from '#store/table.ts';

/**
 * Log files of trails with log file validation. A row stays until the digest that lists the file is written. The trail is named by its ARN,
 * because the files of a deleted trail belong to the same chain of digests.
 */
export const DELIVERED_FILE = table('delivered_file', {
  columns: {
    trailArn: text,
    /** Account and region of the records in the file. */
    accountId: textOf<AccountId>(),
    region: text,
    key: text,
    bucket: text,
    /** SHA-256 of the uncompressed file, in lower-case hexadecimal. */
    hash: text,
    /** Times of the oldest and of the newest record. */
    oldest: instant,
    newest: instant,
    deliveredAt: instant,
  },
  key: ['trailArn', 'accountId', 'region', 'key'],
});
export type DeliveredFile = Row<typeof DELIVERED_FILE>;
export type FileName = Pick<DeliveredFile, 'trailArn' | 'accountId' | 'region' | 'key'>;

/** Periods of trails whose last delivery failed. */
export const DELIVERY_RETRY = table('delivery_retry', {
  columns: {
    trailId: text,
    /** `periodId` of the period. */
    periodId: text,
    /** Number of failures since the last success. */
    failures: int,
    /** Earliest time of the next attempt. */
    retryAt: instant,
  },
  key: ['trailId', 'periodId'],
});
export type DeliveryRetry = Row<typeof DELIVERY_RETRY>;

/** Name before all files. */
export const FIRST_FILE: FileName = { trailArn: '', accountId: '' as AccountId, region: '', key: '' };

export interface DeliveredFiles {
  add(file: DeliveredFile): Promise<void>;
  /** Returns a page of the files of a trail with records of an account and region, in the order of keys. */
  page(place: Pick<DeliveredFile, 'trailArn' | 'accountId' | 'region'>, after: string, limit: number): Promise<readonly DeliveredFile[]>;
  /** Returns the files of a trail, account and region that were delivered at a time or before, the earliest first. */
  until(
    place: Pick<DeliveredFile, 'trailArn' | 'accountId' | 'region'>,
    deliveredAt: Instant,
    limit: number,
  ): Promise<readonly DeliveredFile[]>;
  /** Returns the first trail, account and region with files after another one, in the order of these three. */
  nextPlace(after: Pick<DeliveredFile, 'trailArn' | 'accountId' | 'region'>): Promise<DeliveredFile | undefined>;
  /** Returns a page of all files after a name, in the order of names. */
  all(after: FileName, limit: number): Promise<readonly DeliveredFile[]>;
  /** Removes a file whose digest is written. */
  remove(file: FileName): Promise<void>;
  retry(trailId: string, periodId: string): Promise<DeliveryRetry | undefined>;
  putRetry(retry: DeliveryRetry): Promise<void>;
  /** Removes the failures of a period, after a success or at its end. */
  endRetry(trailId: string, periodId: string): Promise<void>;
}

const UNTIL = `
  SELECT ${DELIVERED_FILE.names} FROM delivered_file
  WHERE trail_arn = $1 AND account_id = $2 AND region = $3 AND delivered_at_ms <= $4 ORDER BY delivered_at_ms, key LIMIT $5`;
const NEXT_PLACE = `
  SELECT ${DELIVERED_FILE.names} FROM delivered_file
  WHERE (trail_arn, account_id, region) > ($1, $2, $3) ORDER BY trail_arn, account_id, region, key LIMIT 1`;

/** Creates the repository of one transaction. */
export function deliveredFiles(sql: Sql): DeliveredFiles {
  return {
    add: (file) => DELIVERED_FILE.insert(sql, file),
    page: ({ trailArn, accountId, region }, after, limit) => DELIVERED_FILE.page(sql, [trailArn, accountId, region], [after], limit),
    until: ({ trailArn, accountId, region }, deliveredAt, limit) =>
      DELIVERED_FILE.rows(sql, UNTIL, [trailArn, accountId, region, deliveredAt, limit]),
    nextPlace: ({ trailArn, accountId, region }) => DELIVERED_FILE.row(sql, NEXT_PLACE, [trailArn, accountId, region]),
    all: ({ trailArn, accountId, region, key }, limit) => DELIVERED_FILE.page(sql, [], [trailArn, accountId, region, key], limit),
    async remove({ trailArn, accountId, region, key }) {
      await DELIVERED_FILE.remove(sql, trailArn, accountId, region, key);
    },
    retry: (trailId, periodId) => DELIVERY_RETRY.get(sql, trailId, periodId),
    putRetry: (retry) => DELIVERY_RETRY.put(sql, retry),
    async endRetry(trailId, periodId) {
      await DELIVERY_RETRY.remove(sql, trailId, periodId);
    },
  };
}
