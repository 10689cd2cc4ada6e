import type { CloudwatchApi } from '#model/generated/cloudwatch.ts';
import type { Call, DeclaredOperation } from '../../kit/operation.ts';
import { AwsError } from '../errors.ts';
import { onPutAlarm } from './access.ts';
import { requireActions } from './actions.ts';
import { localName } from './alarm-names.ts';
import { putAlarm } from './put-alarm.ts';
import { alarmsOf, parseRule } from './rule.ts';
import { alarms } from './tables/alarms.ts';

type Api = CloudwatchApi['PutCompositeAlarm'];

/** Maximum number of composite alarms whose rules name one alarm. Source: CloudWatch User Guide, "Combining alarms": 150. */
const PARENTS_MAX = 150;
/** Maximum number of composite alarms on which a new one depends, directly or not. Assumed: the number. It bounds the search for cycles. */
const DESCENDANTS_MAX = 500;

/**
 * Creates a composite alarm, or replaces its configuration.
 *
 * @throws ValidationException  the rule is invalid (see `parseRule`); an alarm in the rule does not exist, depends on this alarm, or is in
 *   150 rules; an action is not supported; `ActionsSuppressor` or `ActionConfiguration` is set; see also `putAlarm`
 * @throws LimitExceededFault   see `putAlarm`
 *
 * Recorded: the messages about missing alarms and about spaces. Assumed: the others.
 */
export const putCompositeAlarm: DeclaredOperation<Api['input'], Api['output']> = {
  access: onPutAlarm,
  async handle(call, input) {
    const { AlarmName: name, ActionsEnabled: actionsEnabled = true, Tags, ...configuration } = input;
    const { AlarmRule, ActionsSuppressor, ActionsSuppressorWaitPeriod, ActionsSuppressorExtensionPeriod, ActionConfiguration } =
      configuration;
    if ((ActionsSuppressor ?? ActionsSuppressorWaitPeriod ?? ActionsSuppressorExtensionPeriod) !== undefined) {
      throw new AwsError('ValidationException', 'Belfry does not support ActionsSuppressor.');
    }
    if (ActionConfiguration !== undefined) {
      throw new AwsError('ValidationException', 'Belfry does not support ActionConfiguration.');
    }
    if (AlarmRule !== AlarmRule.trim()) {
      throw new AwsError('ValidationException', 'AlarmRule must not contain leading or trailing whitespace or be null');
    }
    const references = alarmsOf(parseRule(AlarmRule));
    requireActions(input, call.region);
    const children = await requireChildren(call, name, references);
    const alarm = await putAlarm(call, { name, type: 'CompositeAlarm', configuration, actionsEnabled, newTags: Tags });
    await call.tx.of(alarms).setChildren(alarm, children);
    return {};
  },
};

/** Returns the names of the alarms in a rule. */
async function requireChildren(call: Call, name: string, references: readonly string[]): Promise<readonly string[]> {
  const { tx, accountId, region } = call;
  const names = new Set<string>();
  const missing: string[] = [];
  for (const reference of references) {
    const child = localName(reference, call);
    if (child === name) throw new AwsError('ValidationException', `The rule of the composite alarm '${name}' names this alarm.`);
    const alarm = child === undefined ? undefined : await tx.of(alarms).get({ accountId, region, name: child });
    if (alarm === undefined) missing.push(reference);
    else names.add(alarm.name);
  }
  if (missing.length > 0) {
    throw new AwsError(
      'ValidationException',
      `Could not save the composite alarm as alarms [${missing.join(', ')}] in the alarm rule do not exist`,
    );
  }
  await refuseCycles(call, name, [...names]);
  for (const child of names) {
    const parents = await tx.of(alarms).parents({ accountId, region, name: child }, '', PARENTS_MAX + 1);
    if (parents.filter((parent) => parent.name !== name).length >= PARENTS_MAX) {
      throw new AwsError('ValidationException', `The alarm '${child}' is in the rules of ${PARENTS_MAX} composite alarms.`);
    }
  }
  return [...names];
}

/** Searches the composite alarms on which the children depend. */
async function refuseCycles({ tx, accountId, region }: Call, name: string, children: readonly string[]): Promise<void> {
  const seen = new Set(children);
  const waiting = [...children];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const alarm of await tx.of(alarms).children({ accountId, region, name: next })) {
      if (alarm.name === name) {
        throw new AwsError(
          'ValidationException',
          `The rule of the composite alarm '${name}' names '${next}', which depends on this alarm.`,
        );
      }
      if (alarm.type !== 'CompositeAlarm' || seen.has(alarm.name)) continue;
      seen.add(alarm.name);
      waiting.push(alarm.name);
      if (seen.size > DESCENDANTS_MAX) {
        throw new AwsError('ValidationException', `The composite alarm depends on more than ${DESCENDANTS_MAX} composite alarms.`);
      }
    }
  }
}
