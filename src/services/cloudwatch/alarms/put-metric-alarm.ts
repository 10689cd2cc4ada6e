import type { CloudwatchApi } from '#model/generated/cloudwatch.ts';
import type { DeclaredOperation } from '../../kit/operation.ts';
import { onPutAlarm } from './access.ts';
import { requireActions } from './actions.ts';
import { requireMetricAlarm } from './metric-rules.ts';
import { putAlarm } from './put-alarm.ts';
import { metricKey } from './tables/alarms.ts';

type Api = CloudwatchApi['PutMetricAlarm'];

/**
 * Creates a metric alarm, or replaces its configuration.
 *
 * @throws ValidationException  see `requireMetricAlarm`, `requireActions` and `putAlarm`
 * @throws LimitExceededFault   see `putAlarm`
 */
export const putMetricAlarm: DeclaredOperation<Api['input'], Api['output']> = {
  access: onPutAlarm,
  async handle(call, input) {
    await requireMetricAlarm(input, call);
    requireActions(input, call.region);
    const { AlarmName: name, ActionsEnabled: actionsEnabled = true, Tags, ...configuration } = input;
    const { Namespace, MetricName } = configuration;
    const metric = Namespace === undefined || MetricName === undefined ? {} : { metric: metricKey(Namespace, MetricName) };
    await putAlarm(call, { name, type: 'MetricAlarm', configuration, actionsEnabled, ...metric, newTags: Tags });
    return {};
  },
};
