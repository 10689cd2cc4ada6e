import type { AccountId, Arn } from '#core/arn.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { GroupRecord } from './identity/identity.ts';
import type { Tx } from './store.ts';
import type { TrailRow } from './trail/trail-row.ts';

export const ALICE = '111111111111' as AccountId;
export const BOB = '222222222222' as AccountId;
export const NOON = instant(Date.UTC(2026, 10, 22, 12));

/** Runs a transaction of the store under test. */
export type Within = <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;

/**
 * The store under test. Each table has a file `<table>.conformance.ts` next to it, which exports `conformance: (suite: Suite) => void`.
 * `engines.test.ts` finds the files and runs them on every engine.
 */
export interface Suite {
  readonly within: Within;
  /** Returns an account that no other test uses. */
  readonly fresh: () => AccountId;
  /** Sets the store's clock. Ignores a time before the current one, so that the clock never goes back. */
  readonly setClock: (moment: number) => void;
}

/** Returns a group with a name and no other properties. */
export function group(groupName: string, path = '/'): GroupRecord {
  const arn = `arn:aws:iam::${ALICE}:group${path}${groupName}` as Arn;
  return {
    accountId: ALICE,
    arn,
    path,
    createdAt: NOON,
    attachedPolicyArns: [],
    inlinePolicies: {},
    groupName,
    groupId: `AGPA${groupName}`,
  };
}

/** Returns a record with an event ID and a time. The columns in `more` replace the defaults. */
export function trailRow(eventId: string, at: number, more: Partial<TrailRow> = {}): TrailRow {
  return {
    eventId,
    accountId: ALICE,
    region: 'us-east-1',
    at: at as Instant,
    eventName: 'CreateMeeting',
    eventSource: 'chime.amazonaws.com',
    readOnly: false,
    resources: [],
    document: `{"eventID":"${eventId}"}`,
    ...more,
  };
}
