import type { CloudwatchApi } from '#model/generated/cloudwatch.ts';
import type { BusEvent } from '../../kit/bus-event.ts';
import type { Call, DeclaredOperation } from '../../kit/operation.ts';
import { AwsError } from '../errors.ts';
import { onAlarms } from './access.ts';
import { configurationEntry } from './history-entries.ts';
import { configurationChangeEvent } from './notices.ts';
import { type AlarmRecord, alarms } from './tables/alarms.ts';

type Api = CloudwatchApi['DeleteAlarms'];

/**
 * Deletes at most 100 alarms, of which at most one is a composite alarm. Their history remains.
 *
 * @throws ValidationException  there are two composite alarms; or the rule of another composite alarm names one of the alarms
 * @throws ResourceNotFound     no alarm exists
 *
 * Source: cloudwatch 2010-08-01, DeleteAlarms: alarms with correct names are deleted if other names are incorrect. Recorded: the message
 * about rules. Assumed: (1) the message about two composite alarms; (2) an alarm may be deleted together with the composite alarm that
 * names it; (3) the request fails only if all names are incorrect.
 */
export const deleteAlarms: DeclaredOperation<Api['input'], Api['output']> = {
  access: ({ AlarmNames }, caller) => onAlarms(AlarmNames, caller),
  async handle(call, { AlarmNames }) {
    const { tx, accountId, region } = call;
    const names = new Set(AlarmNames);
    const found: AlarmRecord[] = [];
    for (const name of names) {
      const alarm = await tx.of(alarms).get({ accountId, region, name });
      if (alarm !== undefined) found.push(alarm);
    }
    if (found.filter(({ type }) => type === 'CompositeAlarm').length > 1) {
      throw new AwsError('ValidationException', 'A request can delete at most one composite alarm.');
    }
    await refuseNamedAlarms(call, found);
    if (found.length === 0 && names.size > 0) throw new AwsError('ResourceNotFound', '');
    await remove(call, found);
    return {};
  },
};

/** Throws if the rule of another composite alarm names one of the alarms. Such alarms are in at most one rule of the request. */
async function refuseNamedAlarms({ tx }: Call, found: readonly AlarmRecord[]): Promise<void> {
  const deleted = new Set(found.map(({ name }) => name));
  const named: string[] = [];
  for (const alarm of found) {
    const parents = await tx.of(alarms).parents(alarm, '', 2);
    if (parents.some(({ name }) => !deleted.has(name))) named.push(alarm.name);
  }
  if (named.length === 0) return;
  const it = named.length === 1 ? 'it' : 'them';
  throw new AwsError('ValidationException', `Cannot delete ${named.join(',')} as there are composite alarm(s) depending on ${it}.`);
}

async function remove(call: Call, found: readonly AlarmRecord[]): Promise<void> {
  const { tx, now } = call;
  for (const alarm of found) {
    await tx.of(alarms).remove(alarm);
    await tx.of(alarms).addHistory(configurationEntry('delete', alarm, now));
    await call.emit<BusEvent>(configurationChangeEvent('delete', alarm));
  }
}
