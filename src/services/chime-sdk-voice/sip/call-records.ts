/**
 * Calls and their call detail records. `delivery/call-records.ts` writes the records to the bucket of the global settings.
 *
 * Source: Chime SDK Administrator Guide, "Managing global settings": the key of the object, and the members of a record in their order.
 * Assumed: (1) `_` before the ID in the key, as in the guide's example. (2) Billed time is rounded up to 6 seconds. (3) `StatusMessage` of a
 * failed call is its SIP code. (4) The names of the caller and of the called party are empty. (5) A record is written only if the account
 * has a bucket at the end of the call. (6) A record that the bucket refuses is tried again for three days. (7) The Voice Connector of a call is
 * that of the last target that was tried.
 */
import { DAY_MS } from '#core/duration.ts';
import { type Instant, instant } from '#core/instant.ts';
import type { Tx } from '#store/store.ts';
import { chimeSettingsOf } from '../../chime-kit/settings.ts';
import { type SipCallRecord, sipCalls } from '../tables/sip-calls.ts';
import { countryOfNumber } from './countries-of-numbers.ts';
import type { CallFacts, SipCallEnd, SipConnector } from './decision.ts';

/** Context of a transaction. */
interface At {
  readonly tx: Tx;
  readonly now: Instant;
}

/** Time that a running call is remembered. It is longer than any call. */
const RUNNING_MS = 2 * DAY_MS;
/** Time that a record is tried again. */
const RETRY_MS = 3 * DAY_MS;
/** Time that a call is remembered after its record was written, so that a repeated report is ignored. */
const WRITTEN_MS = DAY_MS;
/** Time between two attempts to write the records of an account. */
const POSTPONED_MS = 60_000;
const BILLED_SECONDS = 6;
const RECORDS_OF_PAGE = 100;
/** Longest ID of a Voice Connector. Source: the model of Chime SDK voice, NonEmptyString128. */
const VC_MAX = 128;

/** Codes of regions in `UsageType`. Source: AWS billing reports. */
// biome-ignore format: a table
const USAGE_REGIONS: Readonly<Record<string, string>> = {
  'us-east-1': 'USE1', 'us-west-2': 'USW2', 'ca-central-1': 'CAN1', 'eu-central-1': 'EUC1', 'eu-west-1': 'EUW1', 'eu-west-2': 'EUW2',
  'ap-northeast-1': 'APN1', 'ap-northeast-2': 'APN2', 'ap-southeast-1': 'APS1', 'ap-southeast-2': 'APS2',
};

/** Stores a call that is relayed now. `owners` are the Voice Connectors of which one may receive it. */
export async function storeCall(
  { tx, now }: At,
  transactionId: string,
  connector: SipConnector,
  call: CallFacts,
  owners: readonly SipConnector[] = [],
): Promise<void> {
  const record = toRecord(now, transactionId, connector, call);
  const others = owners.filter(({ id }) => id !== connector.id).map(({ id, awsRegion }) => ({ voiceConnectorId: id, awsRegion }));
  await tx.of(sipCalls).add(others.length === 0 ? record : { ...record, document: { ...record.document, others } });
}

/** Stores a call that the server rejected with a code. */
export async function storeRejectedCall(
  at: At,
  transactionId: string,
  connector: SipConnector,
  call: CallFacts,
  code: number,
): Promise<void> {
  const { tx, now } = at;
  const record = toRecord(now, transactionId, connector, call);
  await tx.of(sipCalls).add(await ended(at, record, { code, endedAt: now }));
}

/**
 * Stores the end of a call. Returns the call, or undefined if the call is unknown or its end was stored before.
 *
 * Times that do not fit the call are corrected: the SIP proxy must not bill a call that did not happen. For the same reason, the call is that of
 * another Voice Connector only if the decision named it.
 */
export async function endCall(at: At, { tx: id, code, vc, answered, ended: end }: SipCallEnd): Promise<SipCallRecord | undefined> {
  const { tx, now } = at;
  const call = await tx.of(sipCalls).get(id);
  if (call === undefined || call.document.code !== undefined) return undefined;
  const endedAt = Math.max(Math.min(end, now), call.createdAt);
  const answeredAt = answered === undefined ? undefined : Math.min(Math.max(answered, call.createdAt), endedAt);
  const record = await ended(at, ofReceiver(call, vc), { code, endedAt, ...(answeredAt !== undefined && { answeredAt }) });
  await tx.of(sipCalls).put(record);
  return record;
}

/** Returns a call as one of the Voice Connector whose route was tried last. */
function ofReceiver(call: SipCallRecord, vc: string | undefined): SipCallRecord {
  const { others = [], ...document } = call.document;
  const receiver = others.find(({ voiceConnectorId }) => voiceConnectorId === vc);
  if (receiver === undefined) return { ...call, document };
  return { ...call, voiceConnectorId: receiver.voiceConnectorId, document: { ...document, AwsRegion: receiver.awsRegion } };
}

/** Parses the report about the end of a call. Returns undefined if it is malformed. */
export function toCallEnd(value: unknown): SipCallEnd | undefined {
  const { tx, code, vc, answered, ended: end } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  if (typeof tx !== 'string' || !/^[0-9a-f-]{36}$/.test(tx)) return undefined;
  if (!isWhole(code) || code < 200 || code > 699 || !isWhole(end)) return undefined;
  if (vc !== undefined && (typeof vc !== 'string' || vc.length > VC_MAX)) return undefined;
  const report = { tx, code, ...(vc !== undefined && { vc }), ended: end };
  if (answered === undefined || answered === null) return report;
  return isWhole(answered) ? { ...report, answered } : undefined;
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function toRecord(now: Instant, transactionId: string, { accountId, id, awsRegion }: SipConnector, call: CallFacts): SipCallRecord {
  const { direction: Direction, callId: CallId, sipUser: SipAuthUser, from: From, to: To } = call;
  return {
    ...{ transactionId, accountId, voiceConnectorId: id, createdAt: now, forgottenAt: instant(now + RUNNING_MS) },
    document: { Direction, CallId, SipAuthUser, From, To, AwsRegion: awsRegion },
  };
}

async function ended(
  { tx, now }: At,
  call: SipCallRecord,
  end: Pick<SipCallRecord['document'], 'code' | 'answeredAt' | 'endedAt'>,
): Promise<SipCallRecord> {
  const { CdrBucket } = await chimeSettingsOf({ tx, now, accountId: call.accountId });
  return {
    ...call,
    forgottenAt: instant(now + (CdrBucket === undefined ? WRITTEN_MS : RETRY_MS)),
    ...(CdrBucket !== undefined && { dueAt: now }),
    document: { ...call.document, ...end },
  };
}

/** Object of a record. */
export interface CallRecordObject {
  readonly call: SipCallRecord;
  /** Absent if the account has no bucket any more. */
  readonly bucket: string | undefined;
  readonly key: string;
  readonly body: string;
}

/** Returns records that are due, the longest ago first. */
export async function dueCallRecords({ tx, now }: At): Promise<readonly CallRecordObject[]> {
  const objects: CallRecordObject[] = [];
  for (const call of await tx.of(sipCalls).due(now, RECORDS_OF_PAGE)) {
    const { CdrBucket: bucket } = await chimeSettingsOf({ tx, now, accountId: call.accountId });
    objects.push({ call, bucket, key: keyOf(call), body: `${JSON.stringify(callDetailRecord(call))}\n` });
  }
  return objects;
}

/** Stores that a record was written, or cannot be written because the account has no bucket. */
export async function storeWrittenRecord({ tx, now }: At, { dueAt: _, ...call }: SipCallRecord): Promise<void> {
  await tx.of(sipCalls).put({ ...call, forgottenAt: instant(now + WRITTEN_MS) });
}

/** Postpones all due records of an account whose bucket refused one. */
export async function postponeRecords({ tx, now }: At, { accountId }: SipCallRecord): Promise<void> {
  await tx.of(sipCalls).postpone(accountId, now, instant(now + POSTPONED_MS));
}

function keyOf({ transactionId, voiceConnectorId, createdAt }: SipCallRecord): string {
  const [date = '', time = ''] = new Date(createdAt).toISOString().split('T');
  const place = `${voiceConnectorId}/${date.replaceAll('-', '/')}`;
  return `Amazon-Chime-Voice-Connector-CDRs/json/${place}/${time.slice(0, 12).replaceAll(':', '.')}_${transactionId}`;
}

/** Returns the record of a call that ended. */
export function callDetailRecord({ accountId, transactionId, voiceConnectorId, createdAt, document }: SipCallRecord) {
  const { Direction, CallId, SipAuthUser, From, To, AwsRegion, code = 0, answeredAt, endedAt = createdAt } = document;
  const isCompleted = answeredAt !== undefined && code >= 200 && code < 300;
  const seconds = isCompleted ? Math.ceil((endedAt - answeredAt) / 1000 / BILLED_SECONDS) * BILLED_SECONDS : 0;
  const [from, to] = [countryOfNumber(From) ?? '', countryOfNumber(To) ?? ''];
  return {
    AwsAccountId: accountId,
    TransactionId: transactionId,
    CallId,
    VoiceConnectorId: voiceConnectorId,
    Status: isCompleted ? 'Completed' : 'Failed',
    StatusMessage: isCompleted ? 'OK' : String(code),
    SipAuthUser,
    BillableDurationSeconds: seconds,
    BillableDurationMinutes: seconds / 60,
    SchemaVersion: '2.0',
    SourcePhoneNumber: From,
    SourcePhoneNumberName: '',
    SourceCountry: from,
    DestinationPhoneNumber: To,
    DestinationPhoneNumberName: '',
    DestinationCountry: to,
    UsageType: `${USAGE_REGIONS[AwsRegion] ?? AwsRegion}-${from}-${to}-${Direction.toLowerCase()}-minutes`,
    ServiceCode: 'AmazonChimeVoiceConnector',
    Direction,
    StartTimeEpochSeconds: Math.floor((answeredAt ?? createdAt) / 1000),
    EndTimeEpochSeconds: Math.floor(endedAt / 1000),
    Region: AwsRegion,
    Streaming: false,
  };
}
