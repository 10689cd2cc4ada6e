/** Log events that parts of the server write to log groups. `services/logs/service-writer.ts` has the function that writes them. */
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { DomainEvent } from './events.ts';

/** A log event before it is stored. */
export interface NewLogEvent {
  readonly timestamp: Instant;
  /** 1 to 1,048,550 bytes. The writer cuts a longer message. */
  readonly message: string;
}

/** Log events of one stream. The stream is created if it does not exist. The group must exist. */
export interface LogBatch {
  readonly accountId: AccountId;
  readonly region: string;
  readonly logGroupName: string;
  readonly logStreamName: string;
  /** In any order. At most 10,000 events and 1 MiB, with 26 bytes for each event besides its message. */
  readonly events: readonly NewLogEvent[];
}

/** Service that writes, and the resource for which it acts. */
export interface LogWriter {
  /** `events.amazonaws.com`. */
  readonly service: string;
  /** `aws:SourceArn`, such as the ARN of a rule. */
  readonly sourceArn: string;
  readonly sourceAccount: AccountId;
}

/**
 * Result of a write. `denied`: the resource policies of the account do not allow the service to create the stream and to put events.
 * `too large`: the batch is over a limit, so another attempt fails too.
 */
export type LogWrite = 'written' | 'no such group' | 'denied' | 'too large';

/**
 * Domain event of an operation that writes to a log group as a service. The subscriber drops the events if the group does not exist or the
 * service is not allowed, because an operation of another service must not fail for its logs. Delivery calls `writeAsService` instead,
 * which returns the result.
 */
export interface ServiceLogs extends DomainEvent, LogBatch {
  readonly type: 'ServiceLogs';
  readonly writer: LogWriter;
}

/** Domain event: log events were stored in a group. `bytes` includes 26 bytes for each event. */
export interface LogEventsStored extends DomainEvent {
  readonly type: 'LogEventsStored';
  readonly accountId: AccountId;
  readonly region: string;
  readonly logGroupName: string;
  readonly events: number;
  readonly bytes: number;
}
