/** Fixture of the tests in this folder: the operations on a real store in memory. */
import type { LogsApi, PutLogEventsResponse } from '#model/generated/logs.ts';
import type { DomainEvent } from '../kit/events.ts';
import { ACCOUNT, openOperations, START } from '../kit/fixture.ts';
import type { NewMessage } from '../kit/outgoing.ts';
import { logsOperations } from './operations.ts';

export const GROUP = '/app/web';
export const STREAM = 'one';
export const ARN = `arn:aws:logs:us-east-1:${ACCOUNT}:log-group:${GROUP}`;

export type Event = readonly [secondsAfterStart: number, message: string];

/** Opens the operations, with a group and a stream. */
export async function openLogs() {
  const emitted: DomainEvent[] = [];
  const tested: NewMessage[] = [];
  const operations = logsOperations({
    async tryOutgoing(_tx, message) {
      tested.push(message);
      return async () => true;
    },
  });
  const opened = await openOperations<LogsApi>(operations, emitted);
  const { run } = opened;
  await run('CreateLogGroup', { logGroupName: GROUP });
  await run('CreateLogStream', { logGroupName: GROUP, logStreamName: STREAM });

  /** Stores events. Times are in seconds after `START`. */
  async function put(events: readonly Event[], logStreamName = STREAM): Promise<PutLogEventsResponse> {
    const logEvents = events.map(([seconds, message]) => ({ timestamp: START + seconds * 1000, message }));
    return run('PutLogEvents', { logGroupName: GROUP, logStreamName, logEvents });
  }
  return { ...opened, operations, emitted, tested, put };
}
export type OpenLogs = Awaited<ReturnType<typeof openLogs>>;

/** Returns the code and the message with which a call fails, or 'ok'. */
export async function failure(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'ok';
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    return `${code}: ${message}`;
  }
}
