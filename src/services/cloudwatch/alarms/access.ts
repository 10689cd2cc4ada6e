/** Permissions of the operations on alarms. Source: Service Authorization Reference, "Amazon CloudWatch". */
import { arn } from '#core/arn.ts';
import type { Tag } from '#model/generated/cloudwatch.ts';
import type { Caller, DeclaredAccess } from '../../kit/operation.ts';
import { requestTags, TAG_RULES, tagValues } from '../../kit/tag-rules.ts';
import { type Actions, actionsIn } from './actions.ts';
import { alarmArn } from './alarm-names.ts';
import { alarms } from './tables/alarms.ts';

/** Requires the operation's action on alarms, which need not exist. */
export function onAlarms(names: readonly string[], { accountId, region }: Caller): DeclaredAccess {
  const keys = [...new Set(names)].map((name) => ({ accountId, region, name }));
  if (keys.length === 0) return { resources: ['*'] };
  return {
    resources: keys.map(alarmArn),
    async resourceTags(tx) {
      const tags = [];
      for (const key of keys) {
        const alarm = await tx.of(alarms).get(key);
        tags.push(alarm && tagValues(alarm.tags));
      }
      return tags;
    },
  };
}

/** Requires the operation's action on all alarms of the account in the region. Assumed: also if a filter selects some of them. */
export function onAllAlarms({ accountId, region }: Caller): DeclaredAccess {
  return { resources: [arn('cloudwatch', region, accountId, 'alarm:*')] };
}

/**
 * Requires the operation's action to create or change an alarm. Tags also require `cloudwatch:TagResource`.
 *
 * Source: cloudwatch 2010-08-01, PutMetricAlarm, Tags. Assumed: `cloudwatch:AlarmActions` has the actions for all three states.
 */
export function onPutAlarm(
  { AlarmName, Tags, ...actions }: Actions & { readonly AlarmName: string; readonly Tags?: readonly Tag[] },
  caller: Caller,
): readonly DeclaredAccess[] {
  const tags = requestTags(TAG_RULES.cloudwatch, Tags);
  const arns = actionsIn(actions);
  const alarm = onAlarms([AlarmName], caller);
  const keys = arns.length === 0 ? tags : ([...tags, ['cloudwatch:alarmactions', arns]] as const);
  const put = { ...alarm, ...(keys.length > 0 && { context: new Map(keys) }) };
  return tags.length === 0 ? [put] : [put, { ...alarm, action: 'cloudwatch:TagResource', context: new Map(tags) }];
}
