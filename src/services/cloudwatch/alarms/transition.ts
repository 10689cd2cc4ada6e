/** Changes of the state of an alarm, with everything that follows from them. */
import { parseArn } from '#core/arn.ts';
import { HOUR_MS } from '#core/duration.ts';
import { instant } from '#core/instant.ts';
import type { StateValue } from '#model/generated/cloudwatch.ts';
import type { BusEvent } from '../../kit/bus-event.ts';
import type { Work } from '../../kit/events.ts';
import { laneOf, type OutgoingTarget, outgoing } from '../../kit/outgoing.ts';
import { typedAlarm } from './alarm-kinds.ts';
import { alarmArn } from './alarm-names.ts';
import { stateEntry } from './history-entries.ts';
import { functionPayload, stateChangeEvent, subjectOf, topicMessage } from './notices.ts';
import { type AlarmRecord, alarms } from './tables/alarms.ts';

/** A state and its reason. */
export interface NewState {
  readonly state: StateValue;
  readonly reason: string;
  readonly data?: string | undefined;
}

/** Attempts to send a message of an alarm. Assumed: CloudWatch documents no number. */
const ATTEMPTS = 50;
const WITHIN_MS = HOUR_MS;

/**
 * Sets the state of an alarm. `alarm` may have other changes, which are stored too.
 *
 * A change of the state adds an entry to the history, emits an event, makes composite alarms due that name the alarm, and adds the messages
 * of the alarm's actions. Without a change of the state, only the reason changes.
 *
 * Source: cloudwatch 2010-08-01, PutMetricAlarm: actions run only when the state changes, and only if ActionsEnabled is true.
 */
export async function setState(work: Work, alarm: AlarmRecord, { state, reason, data }: NewState): Promise<void> {
  const { tx, now } = work;
  const { stateReasonData: _, ...rest } = alarm;
  const changes = state !== alarm.state;
  const changed: AlarmRecord = {
    ...rest,
    state,
    stateReason: reason,
    ...(data !== undefined && { stateReasonData: data }),
    stateUpdatedAt: now,
    stateChangedAt: changes ? now : alarm.stateChangedAt,
  };
  await tx.of(alarms).put(changed);
  if (!changes) return;
  await tx.of(alarms).addHistory(stateEntry(changed, alarm));
  await tx.of(alarms).wakeParents(changed, now);
  await work.emit<BusEvent>(stateChangeEvent(changed, alarm));
  if (!changed.actionsEnabled) return;
  for (const action of actionsOf(changed)) await addMessage(work, changed, alarm, action);
}

function actionsOf(alarm: AlarmRecord): readonly string[] {
  const { OKActions, AlarmActions, InsufficientDataActions } = typedAlarm(alarm).configuration;
  return { OK: OKActions, ALARM: AlarmActions, INSUFFICIENT_DATA: InsufficientDataActions }[alarm.state] ?? [];
}

/** Service principals of the sender. Source: CloudWatch User Guide, "Notifying users on alarm changes", "Invoke a Lambda function from an alarm". */
const SENDERS = { sns: 'cloudwatch.amazonaws.com', lambda: 'lambda.alarms.cloudwatch.amazonaws.com' } as const;

async function addMessage(work: Work, alarm: AlarmRecord, before: AlarmRecord, action: string): Promise<void> {
  const { tx, now } = work;
  const { accountId, region } = alarm;
  const isTopic = parseArn(action)?.service === 'sns';
  const target: OutgoingTarget = isTopic ? { kind: 'sns', arn: action, Subject: subjectOf(alarm) } : { kind: 'lambda', arn: action };
  await tx.of(outgoing).add({
    id: work.newId(),
    accountId,
    region,
    lane: laneOf('alarm', alarmArn(alarm), action),
    // So that a recipient does not receive an older state after a newer one.
    ordered: true,
    target,
    sender: { service: SENDERS[target.kind as keyof typeof SENDERS], sourceArn: alarmArn(alarm), sourceAccount: accountId },
    body: isTopic ? topicMessage(alarm, before) : functionPayload(alarm, before),
    createdAt: now,
    maximumAttempts: ATTEMPTS,
    expiresAt: instant(now + WITHIN_MS),
  });
}
