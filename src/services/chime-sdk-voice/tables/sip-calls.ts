import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Sql } from '#store/sql.ts';
import { instant, json, optional, type Row, table, text, textOf } from '#store/table.ts';

/** Facts of a call that no query needs. */
export interface SipCallDocument {
  readonly Direction: 'Inbound' | 'Outbound';
  readonly CallId: string;
  readonly SipAuthUser: string;
  /** E.164, or empty. */
  readonly From: string;
  readonly To: string;
  readonly AwsRegion: string;
  /** Final code of the INVITE. Absent while the call runs. */
  readonly code?: number;
  /** Time of the answer, in milliseconds since 1970. Absent if the call was not answered. */
  readonly answeredAt?: number;
  readonly endedAt?: number;
  /** Other Voice Connectors that may receive the call. Absent if there are none, and after the end. */
  readonly others?: readonly { readonly voiceConnectorId: string; readonly awsRegion: string }[];
}

/** Calls of Voice Connectors, from the decision until a day after their record was written. */
export const SIP_CALL = table('sip_call', {
  columns: {
    /** ID that the decision gave to the call. */
    transactionId: text,
    accountId: textOf<AccountId>(),
    voiceConnectorId: text,
    createdAt: instant,
    /** Time of the next attempt to write the record. Absent while the call runs, and after the record was written. */
    dueAt: optional(instant),
    /** Time at which the row is deleted. */
    forgottenAt: instant,
    document: json<SipCallDocument>(),
  },
  key: ['transactionId'],
  indexes: [
    { columns: ['dueAt'], where: 'due_at_ms IS NOT NULL' },
    { columns: ['accountId', 'dueAt'], where: 'due_at_ms IS NOT NULL' },
    ['forgottenAt'],
  ],
});
export type SipCallRecord = Row<typeof SIP_CALL>;

/** Calls by the ID that the decision gave them. */
export interface SipCalls {
  add(call: SipCallRecord): Promise<'added' | 'exists'>;
  get(transactionId: string): Promise<SipCallRecord | undefined>;
  /** Replaces the members that can change. */
  put(call: SipCallRecord): Promise<'changed' | 'absent'>;
  /** Returns calls whose record is due at `now`, the longest ago first. */
  due(now: Instant, limit: number): Promise<readonly SipCallRecord[]>;
  /** Postpones all records of an account that are due at `now`. */
  postpone(accountId: AccountId, now: Instant, dueAt: Instant): Promise<void>;
  /** Deletes at most `limit` calls whose time has passed. Returns their number. */
  forget(now: Instant, limit: number): Promise<number>;
}

const { names } = SIP_CALL;
const DUE = `SELECT ${names} FROM sip_call WHERE due_at_ms IS NOT NULL AND due_at_ms <= $1 ORDER BY due_at_ms LIMIT $2`;
const POSTPONE = 'UPDATE sip_call SET due_at_ms = $3 WHERE account_id = $1 AND due_at_ms IS NOT NULL AND due_at_ms <= $2';
const FORGET = `
  DELETE FROM sip_call WHERE transaction_id IN (
    SELECT transaction_id FROM sip_call WHERE forgotten_at_ms <= $1 ORDER BY forgotten_at_ms LIMIT $2)`;
const put = SIP_CALL.update('voiceConnectorId', 'dueAt', 'forgottenAt', 'document');

/** Creates the repository of one transaction. */
export function sipCalls(sql: Sql): SipCalls {
  return {
    add: (call) => SIP_CALL.add(sql, call),
    get: (transactionId) => SIP_CALL.get(sql, transactionId),
    put: (call) => put(sql, call),
    due: (now, limit) => SIP_CALL.rows(sql, DUE, [now, limit]),
    async postpone(accountId, now, dueAt) {
      await sql.run(POSTPONE, [accountId, now, dueAt]);
    },
    forget: (now, limit) => sql.run(FORGET, [now, limit]),
  };
}
