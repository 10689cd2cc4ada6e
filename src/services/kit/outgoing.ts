/**
 * Messages that wait until the server has sent them to a queue, topic, stream, function, log group, device, bot, HTTPS endpoint or mailbox.
 * Operations and followers add messages in their transaction. `delivery/outgoing/` sends them after the commit, at least once.
 */
import { createHash } from 'node:crypto';
import type { AccountId } from '#core/arn.ts';
import type { Sql } from '#store/sql.ts';
import type { Tx } from '#store/store.ts';
import { flag, instant, int, json, numbered, optional, type Row, table, text, textOf } from '#store/table.ts';
import type { DomainEvent } from './events.ts';

/** Target of a message. Members of a service have the names of its API. */
export type OutgoingTarget =
  | {
      readonly kind: 'sqs';
      readonly arn: string;
      readonly MessageGroupId?: string;
      readonly MessageDeduplicationId?: string;
      /** Attributes of the message, all of type String. */
      readonly attributes?: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'sns'; readonly arn: string; readonly Subject?: string; readonly attributes?: Readonly<Record<string, string>> }
  /** `dryRun`: the function is not run. Lambda only reports whether it could be. */
  | { readonly kind: 'lambda'; readonly arn: string; readonly encoding?: OutgoingEncoding; readonly dryRun?: true }
  | { readonly kind: 'kinesis'; readonly arn: string; readonly PartitionKey: string; readonly encoding?: OutgoingEncoding }
  | { readonly kind: 'logs'; readonly arn: string; readonly logStreamName?: string }
  | {
      /** API destination of EventBridge. Its address and its secrets are read when the message is sent. */
      readonly kind: 'apiDestination';
      readonly arn: string;
      readonly PathParameterValues?: readonly string[];
      readonly HeaderParameters?: Readonly<Record<string, string>>;
      readonly QueryStringParameters?: Readonly<Record<string, string>>;
    }
  /** Connection of EventBridge whose first token of OAuth is due. The message has no body. */
  | { readonly kind: 'connection'; readonly arn: string }
  | {
      /** Bot of Lex V2. The body is the text of the user. Without a body, the session starts with `intent`. The answer is `OutgoingAnswered`. */
      readonly kind: 'lex';
      /** ARN of the bot alias. */
      readonly arn: string;
      readonly localeId: string;
      readonly sessionId: string;
      readonly requestAttributes: Readonly<Record<string, string>>;
      readonly intent?: string;
      /** Facts that the receiver of the answer needs. They are not sent. */
      readonly context: Readonly<Record<string, string>>;
    }
  /** Device of an app instance user. The body is a push notification. The token of the device is read when the message is sent. */
  | { readonly kind: 'push'; readonly appInstanceId: string; readonly userId: string; readonly endpointId: string }
  | {
      /** Bot of a Chime account. The body is an event. Its endpoint and its token are read when the message is sent. */
      readonly kind: 'bot';
      readonly chimeAccountId: string;
      readonly botId: string;
      /** Webhook that is created when the message is sent, and added to the body. */
      readonly webhook?: { readonly roomId: string; readonly type: 'Persistent' | 'ShortLived' };
    }
  /** Mail to one person. The body is its text. `reference` is not sent. See `mail.ts`. */
  | { readonly kind: 'mail'; readonly to: string; readonly subject: string; readonly reference: string };

/** Encoding of a body when it is sent. `awslogs`: compressed by gzip, and for a function in base64 in the member `awslogs.data`. */
export type OutgoingEncoding = 'awslogs';

/** Identity with which the server sends a message. Resource policies and the role of the target are evaluated for it. */
export interface Sender {
  /** `events.amazonaws.com`. */
  readonly service: string;
  /** `aws:SourceArn`: for EventBridge, the ARN of the rule. */
  readonly sourceArn: string;
  readonly sourceAccount: AccountId;
  /** Role that the service assumes to send the message. */
  readonly roleArn?: string;
}

/** Queue for a message that was not sent. Without it, the message is counted as lost. */
export interface DeadLetter {
  /** ARN of a queue. */
  readonly arn: string;
  /** Attributes besides those that describe the failure: `RULE_ARN`, `TARGET_ARN`. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Messages that are not sent yet. `add` inserts a row, and the server that sends accepts it, so adding never waits for another transaction. */
export const OUTGOING = table('outgoing', {
  columns: {
    /**
     * Number that the database assigns at the insert. If transaction B begins after the commit of transaction A, the messages of B have
     * larger numbers.
     */
    number: numbered(),
    /** ID of the message in log lines. */
    id: text,
    accountId: textOf<AccountId>(),
    region: text,
    /**
     * Messages of one lane of an account are sent in the order of their numbers if `ordered`. A lane that fails delays only itself. At most
     * 256 characters.
     */
    lane: text,
    ordered: flag,
    target: json<OutgoingTarget>(),
    sender: json<Sender>(),
    deadLetter: optional(json<DeadLetter>()),
    body: text,
    /** Size of the message for the limits, in bytes. */
    bytes: int,
    createdAt: instant,
    /** Time of the next attempt. */
    dueAt: instant,
    attempts: int,
    /** Most attempts, with the first one. */
    maximumAttempts: int,
    /** The server does not try again after this time. */
    expiresAt: instant,
    /** Whether the sending server has counted the message in its lane. */
    accepted: flag,
  },
  key: ['number'],
  indexes: [{ columns: ['number'], where: 'accepted = 0' }, ['accountId', 'lane', 'dueAt', 'number'], ['accountId', 'lane', 'number']],
  clustered: false,
});
export type OutgoingMessage = Row<typeof OUTGOING>;

/**
 * Reason of a failure, as in the attribute `ERROR_CODE` of a dead letter.
 *
 * Source: EventBridge User Guide, "Using dead-letter queues to process undelivered events". Assumed: `SDK_CLIENT_ERROR` for other
 * responses with a 4xx status, and `TIMEOUT` also if no connection is possible or the status is 5xx.
 */
export type FailureCode = 'NO_PERMISSIONS' | 'NO_RESOURCE' | 'THROTTLING' | 'TIMEOUT' | 'SDK_CLIENT_ERROR';

/**
 * Domain event: a message ended without being sent. It is emitted in the transaction that removes the message. `reason` names no secret and
 * nothing that the receiver sent. Subscribers must not throw, because the messages of all accounts wait for this transaction.
 */
export interface OutgoingFailed extends DomainEvent {
  readonly type: 'OutgoingFailed';
  readonly message: OutgoingMessage;
  readonly code: FailureCode;
  readonly reason: string;
  /** True if the receiver reported that the target no longer exists. */
  readonly gone: boolean;
  /** Connection of EventBridge whose authorization the receiver refused. */
  readonly refused?: ConnectionUse;
}

/** Connection of EventBridge with which a message was sent. */
export interface ConnectionUse {
  readonly arn: string;
  /** Time of the last update of the connection before the message was sent. */
  readonly updatedAt: number;
}

/** Domain event: the receiver of a message answered. It is emitted once, in the transaction that removes the message, as `OutgoingFailed`. */
export interface OutgoingAnswered extends DomainEvent {
  readonly type: 'OutgoingAnswered';
  readonly message: OutgoingMessage;
  /** JSON, whose form depends on the kind of the target: `LexAnswer` for `lex`. */
  readonly answer: string;
}

/** Domain event: a message was sent. It is emitted in the transaction that removes the message. */
export interface OutgoingSent extends DomainEvent {
  readonly type: 'OutgoingSent';
  readonly message: OutgoingMessage;
}

/** Message as its creator describes it. */
export type NewMessage = Omit<OutgoingMessage, 'number' | 'bytes' | 'dueAt' | 'attempts' | 'accepted'>;

/**
 * Prepares one attempt to send a message that is not in the queue, with the rights and the endpoint that the transaction reads. The attempt runs
 * outside of the transaction, never rejects, and resolves to whether the receiver accepted the message.
 */
export type TryOutgoing = (tx: Tx, message: NewMessage) => Promise<() => Promise<boolean>>;

/** Longest name of a lane. */
const LANE_MAX = 256;

/** Returns the name of the lane for some names, such as ARNs. Different names have different lanes. */
export function laneOf(...names: readonly string[]): string {
  const name = names.join(' ');
  return name.length <= LANE_MAX ? name : `${name.slice(0, LANE_MAX - 65)} ${createHash('sha256').update(name).digest('hex')}`;
}

export interface Outgoing {
  /**
   * Adds a message, with `dueAt` = `createdAt` and no attempts.
   *
   * @throws Error  the name of the lane is too long
   */
  add(message: NewMessage): Promise<void>;
  /** Adds messages, as `add` does, with fewer statements. */
  addAll(messages: readonly NewMessage[]): Promise<void>;
  /** Returns whether the transaction added messages. */
  hasAdded(): boolean;
}

function rowOf(message: NewMessage): Omit<OutgoingMessage, 'number'> {
  if (message.lane.length > LANE_MAX) throw new Error(`the name of the lane has more than ${LANE_MAX} characters`);
  const { body, target, sender, createdAt } = message;
  const bytes = Buffer.byteLength(body) + Buffer.byteLength(JSON.stringify({ target, sender }));
  return { ...message, bytes, dueAt: createdAt, attempts: 0, accepted: false };
}

/** Returns a message that is not in the queue. */
export function unqueued(message: NewMessage): OutgoingMessage {
  return { ...rowOf(message), number: 0 };
}

/** Creates the repository of one transaction. */
export function outgoing(sql: Sql): Outgoing {
  let added = false;
  return {
    async add(message) {
      added = true;
      await OUTGOING.insert(sql, rowOf(message));
    },
    async addAll(messages) {
      if (messages.length === 0) return;
      added = true;
      await OUTGOING.addAll(sql, messages.map(rowOf));
    },
    hasAdded: () => added,
  };
}
