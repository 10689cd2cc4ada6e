import { type Instant, instant } from '#core/instant.ts';
import type { AlarmHistoryItem, CloudwatchApi } from '#model/generated/cloudwatch.ts';
import type { Call, DeclaredOperation } from '../../kit/operation.ts';
import { AwsError } from '../errors.ts';
import { onAlarms, onAllAlarms } from './access.ts';
import { alarmPages } from './describe-alarms.ts';
import { HISTORY_MS } from './history-entries.ts';
import { type AlarmHistoryRecord, alarms, HISTORY_END } from './tables/alarms.ts';

type Api = CloudwatchApi['DescribeAlarmHistory'];

/** Number of entries that one statement reads, and that one request examines. */
const READ_AT_ONCE = 100;
const EXAMINED_MAX = 1_000;

/**
 * Returns entries of the history of alarms, also of deleted ones. The newest are first by default.
 *
 * The history has entries about configurations and states. It has no entries about actions, because the server sends their messages later.
 *
 * Source: cloudwatch 2010-08-01, DescribeAlarmHistory. Assumed: StartDate and EndDate are inclusive, and without `AlarmTypes` all types
 * are in the list.
 * @throws InvalidNextToken  the token is invalid
 */
export const describeAlarmHistory: DeclaredOperation<Api['input'], Api['output']> = {
  access: ({ AlarmName }, caller) => (AlarmName === undefined ? onAllAlarms(caller) : onAlarms([AlarmName], caller)),
  async handle(call, input) {
    if (input.AlarmName?.includes('\0')) return { AlarmHistoryItems: [] };
    const size = alarmPages.sizeOf(input);
    const items: AlarmHistoryRecord[] = [];
    let examined = 0;
    let after = positionOf(alarmPages.afterKey(input));
    for (;;) {
      const batch = await call.tx.of(alarms).history({ ...rangeOf(call, input), after }, READ_AT_ONCE);
      for (const entry of batch) {
        if (items.length === size && matches(entry, input)) return response(items, after);
        if (matches(entry, input)) items.push(entry);
        if (items.length <= size) after = entry;
      }
      examined += batch.length;
      if (batch.length < READ_AT_ONCE) return response(items, undefined);
      if (examined >= EXAMINED_MAX) return response(items, after);
    }
  },
};

interface Position {
  readonly at: number;
  readonly number: number;
}

function response(items: readonly AlarmHistoryRecord[], after: Position | undefined): Api['output'] {
  return { AlarmHistoryItems: items.map(toItem), ...alarmPages.restAfter(after && `${after.at} ${after.number}`) };
}

function positionOf(key: string | undefined): Position | undefined {
  if (key === undefined) return undefined;
  const [at = Number.NaN, number = Number.NaN] = key.split(' ').map(Number);
  if (!Number.isSafeInteger(at) || !Number.isSafeInteger(number)) throw new AwsError('InvalidNextToken', 'The NextToken is invalid.');
  return { at, number };
}

function rangeOf({ accountId, region, now }: Call, { AlarmName: name, StartDate, EndDate, ScanBy }: Api['input']) {
  const oldest = now - HISTORY_MS;
  const from = instant(Math.max(StartDate ?? oldest, oldest));
  const to: Instant = EndDate === undefined ? HISTORY_END : instant(Math.min(EndDate + 1, HISTORY_END));
  return { accountId, region, name, from, to, newestFirst: ScanBy !== 'TimestampAscending' };
}

function matches({ type, itemType }: AlarmHistoryRecord, { AlarmTypes, HistoryItemType, AlarmContributorId }: Api['input']): boolean {
  if (AlarmContributorId !== undefined) return false;
  const types: readonly string[] = AlarmTypes ?? [];
  return (types.length === 0 || types.includes(type)) && (HistoryItemType === undefined || itemType === HistoryItemType);
}

function toItem({ name, type, at, itemType, summary, data }: AlarmHistoryRecord): AlarmHistoryItem {
  return { AlarmName: name, AlarmType: type, Timestamp: at, HistoryItemType: itemType, HistorySummary: summary, HistoryData: data };
}
