/** Operations that set the state of alarms, or enable and disable their actions. */
import type { CloudwatchApi, DisableAlarmActionsInput } from '#model/generated/cloudwatch.ts';
import type { BusEvent } from '../../kit/bus-event.ts';
import type { Call, ServiceOperations } from '../../kit/operation.ts';
import { AwsError } from '../errors.ts';
import { onAlarms } from './access.ts';
import { alarmOrNotFound } from './describe-alarms.ts';
import { configurationEntry } from './history-entries.ts';
import { configurationChangeEvent } from './notices.ts';
import { alarms } from './tables/alarms.ts';
import { setState } from './transition.ts';

export const alarmStateOperations = {
  /**
   * Sets the state of an alarm until its next evaluation.
   *
   * @throws ResourceNotFound     the alarm does not exist
   * @throws ValidationException  the reason contains NUL. Assumed
   * @throws InvalidFormatFault   `StateReasonData` is not JSON. Source: cloudwatch 2010-08-01, SetAlarmState. Assumed: the message
   */
  SetAlarmState: {
    access: ({ AlarmName }, caller) => onAlarms([AlarmName], caller),
    async handle(call, { AlarmName, StateValue: state, StateReason: reason, StateReasonData: data }) {
      const alarm = await alarmOrNotFound(call, AlarmName);
      if (reason.includes('\0')) throw new AwsError('ValidationException', 'StateReason must not contain the character NUL.');
      if (data !== undefined && !isJson(data)) throw new AwsError('InvalidFormatFault', 'StateReasonData must be valid JSON.');
      await setState(call, alarm, { state, reason, data });
      return {};
    },
  },

  /** Enables the actions of alarms. Ignores unknown names. Assumed: CloudWatch documents no error. */
  EnableAlarmActions: {
    access: ({ AlarmNames }, caller) => onAlarms(AlarmNames, caller),
    handle: (call, input) => setActionsEnabled(call, input, true),
  },

  /** Disables the actions of alarms. Ignores unknown names. Assumed: CloudWatch documents no error. */
  DisableAlarmActions: {
    access: ({ AlarmNames }, caller) => onAlarms(AlarmNames, caller),
    handle: (call, input) => setActionsEnabled(call, input, false),
  },
} satisfies Partial<ServiceOperations<CloudwatchApi>>;

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

async function setActionsEnabled(call: Call, { AlarmNames }: DisableAlarmActionsInput, actionsEnabled: boolean) {
  const { tx, now, accountId, region } = call;
  for (const name of new Set(AlarmNames)) {
    const before = await tx.of(alarms).get({ accountId, region, name });
    if (before === undefined || before.actionsEnabled === actionsEnabled) continue;
    const alarm = { ...before, actionsEnabled, configuredAt: now };
    await tx.of(alarms).put(alarm);
    await tx.of(alarms).addHistory(configurationEntry('update', alarm, now));
    await call.emit<BusEvent>(configurationChangeEvent('update', alarm, before));
  }
  return {};
}
