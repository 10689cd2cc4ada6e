/** Log events that parts of the server write to log groups. `services/logs/service-writer.ts` has the function that writes them. */
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { DomainEvent, Work } from './events.ts';

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

/** Writes log events as a service: `writeAsService` in `services/logs/service-writer.ts`. Other services receive it as a part. */
export type WriteLogs = (work: Work, writer: LogWriter, batch: LogBatch) => Promise<LogWrite>;

/** Domain event: log events were stored in a group. `bytes` includes 26 bytes for each event. */
export interface LogEventsStored extends DomainEvent {
  readonly type: 'LogEventsStored';
  readonly accountId: AccountId;
  readonly region: string;
  readonly logGroupName: string;
  readonly events: number;
  readonly bytes: number;
}
