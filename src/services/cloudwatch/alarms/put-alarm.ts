/** Creation and change of alarms of both kinds. */
import type { Instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { Tag } from '#model/generated/cloudwatch.ts';
import type { BusEvent } from '../../kit/bus-event.ts';
import type { Call } from '../../kit/operation.ts';
import { newTags, TAG_RULES } from '../../kit/tag-rules.ts';
import { AwsError } from '../errors.ts';
import { requireAlarmName } from './alarm-names.ts';
import { configurationEntry } from './history-entries.ts';
import { configurationChangeEvent } from './notices.ts';
import { type AlarmRecord, alarms } from './tables/alarms.ts';

/** Maximum number of alarms of an account in a region. Source: CloudWatch quotas: 5,000 metric alarms. Assumed: composite alarms count too. */
export const ALARMS_MAX = 5_000;
/** Maximum number of tags. Source: cloudwatch 2010-08-01, PutMetricAlarm, Tags. */
const TAGS_MAX = 50;

/** Settings of an alarm that a request replaces. */
export interface AlarmSettings extends Pick<AlarmRecord, 'name' | 'type' | 'configuration' | 'actionsEnabled' | 'metric'> {
  /** Tags of a new alarm. Ignored for an existing alarm. */
  readonly newTags: readonly Tag[] | undefined;
}

/**
 * Creates an alarm in the state INSUFFICIENT_DATA, or replaces the configuration of an existing one, which keeps its state and tags. The
 * alarm is evaluated soon. Returns the stored alarm.
 *
 * Source: cloudwatch 2010-08-01, PutMetricAlarm and PutCompositeAlarm. Recorded: the reason of a new alarm.
 * @throws ValidationException  the name is invalid, or belongs to an alarm of the other kind. Assumed: the messages
 * @throws LimitExceededFault   the account has 5,000 alarms in the region. Assumed: the message
 */
export async function putAlarm(call: Call, { newTags: tags = [], ...settings }: AlarmSettings): Promise<AlarmRecord> {
  const { tx, now, accountId, region } = call;
  requireAlarmName(settings.name);
  const before = await tx.of(alarms).get({ accountId, region, name: settings.name });
  if (before !== undefined && before.type !== settings.type) {
    throw new AwsError('ValidationException', `An alarm of another type has the name '${settings.name}'.`);
  }
  if (tags.length > TAGS_MAX) throw new AwsError('ValidationException', `An alarm can have at most ${TAGS_MAX} tags.`);
  if (before === undefined && (await tx.of(alarms).count({ accountId, region }, ALARMS_MAX)) >= ALARMS_MAX) {
    throw new AwsError('LimitExceededFault', `The account has the maximum of ${ALARMS_MAX} alarms in this region.`);
  }
  const kept: Kept = before === undefined ? initialState(now, newTags(TAG_RULES.cloudwatch, tags)) : keptOf(before);
  const alarm: AlarmRecord = { ...kept, accountId, region, ...settings, configuredAt: now, dueAt: now };
  const change = before === undefined ? 'create' : 'update';
  await tx.of(alarms).put(alarm);
  await tx.of(alarms).addHistory(configurationEntry(change, alarm, now));
  await call.emit<BusEvent>(configurationChangeEvent(change, alarm, before));
  return alarm;
}

/** Members of an alarm that a change of its configuration keeps. */
type Kept = Pick<AlarmRecord, 'tags' | 'state' | 'stateReason' | 'stateReasonData' | 'stateUpdatedAt' | 'stateChangedAt'>;

function initialState(now: Instant, tags: AlarmRecord['tags']): Kept {
  const stateReason = 'Unchecked: Initial alarm creation';
  return { tags, state: 'INSUFFICIENT_DATA', stateReason, stateUpdatedAt: now, stateChangedAt: now };
}

function keptOf({ tags, state, stateReason, stateReasonData, stateUpdatedAt, stateChangedAt }: AlarmRecord): Kept {
  return { tags, state, stateReason, ...omitUndefined({ stateReasonData }), stateUpdatedAt, stateChangedAt };
}
