import type { Work } from '../../kit/events.ts';
import { alarmArn, localName } from './alarm-names.ts';
import { formatLongTime, formatTime } from './numbers.ts';
import { isTrue, parseRule } from './rule.ts';
import { type AlarmRecord, alarms, type CompositeAlarmConfiguration } from './tables/alarms.ts';
import type { NewState } from './transition.ts';

/**
 * Evaluates the rule of a composite alarm. The state is ALARM if the rule is true, and otherwise OK.
 *
 * Recorded: the reason after the change of a child, and `was created and its alarm rule evaluates to OK`; the data. Assumed: (1) the reason
 * after an update; (2) the data of a new alarm has all children.
 */
export async function evaluateComposite(
  { tx }: Pick<Work, 'tx'>,
  alarm: AlarmRecord,
  { AlarmRule }: CompositeAlarmConfiguration,
): Promise<NewState> {
  const children = await tx.of(alarms).children(alarm);
  const states = new Map(children.map((child) => [child.name, child.state]));
  const state = isTrue(parseRule(AlarmRule), (reference) => states.get(localName(reference, alarm) ?? '')) ? 'ALARM' : 'OK';
  const newest = children.toSorted((a, b) => b.stateChangedAt - a.stateChangedAt)[0];
  if (newest !== undefined && newest.stateChangedAt > alarm.configuredAt) {
    const reason = `${alarmArn(newest)} transitioned to ${newest.state} at ${formatLongTime(newest.stateChangedAt)}`;
    return { state, reason, data: dataOf([newest]) };
  }
  const change = alarm.stateReason.startsWith('Unchecked:') ? 'created' : 'updated';
  return { state, reason: `${alarmArn(alarm)} was ${change} and its alarm rule evaluates to ${state}`, data: dataOf(children) };
}

/** Maximum number of alarms in the data, so that it has at most 4,000 characters. Assumed: the number. */
const TRIGGERING_MAX = 10;

function dataOf(triggering: readonly AlarmRecord[]): string {
  return JSON.stringify({
    triggeringAlarms: triggering.slice(0, TRIGGERING_MAX).map((child) => ({
      arn: alarmArn(child),
      state: { value: child.state, timestamp: formatTime(child.stateChangedAt) },
    })),
  });
}
