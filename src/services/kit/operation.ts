import type { AccountId } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { StoredBody, StoredRange } from '#core/exchange.ts';
import type { Principal } from '#core/principal.ts';
import type { RequiredAccess } from '#core/required-access.ts';
import type { Analysis, Outcome } from '#policy/analysis.ts';
import type { Store, Tx } from '#store/store.ts';
import type { Work } from './events.ts';
import type { Compute } from './thread-work.ts';

/** Authenticated caller of an operation. An operation's `access` receives only the caller and the input. */
export interface Caller {
  readonly principal: Principal;
  /**
   * Account of the caller. Operations find resources only in this account, because Chime has no cross-account access.
   * Requirement EVAL-8.
   */
  readonly accountId: AccountId;
  /** Region in the credential scope of the signature. Policies see it as the condition key `aws:RequestedRegion`. */
  readonly region: string;
  /**
   * Authorization profile. Operations of the service `chime` have the profile `classic`: they require every permission
   * on the resource `*`, without condition keys for tags. Requirements CHM-1, TAG-2.
   */
  readonly profile: 'classic' | 'sdk';
  /** True for an operation that AWS removed from the service `chime`, which `BELFRY_LEGACY_CHIME` serves. */
  readonly legacy?: true;
}

/**
 * Everything that a handler can use, in addition to its input. A handler uses no other clock, no other source of random
 * values, and no network.
 */
export interface Call extends Caller, Work {
  /** Returns `bytes` cryptographically random bytes. */
  readonly random: (bytes: number) => Uint8Array;
  readonly requestId: string;
  /** Content that the server has stored for a streamed operation. Absent in `admit` and in all other operations. */
  readonly stored?: StoredBody;
  /** Sends stored bytes as the body of the response, instead of a member of the output. */
  readonly sendFile: (file: StoredRange) => void;
  /**
   * Reports that the operation reads or changes data of another account. If the call succeeds, the trail of this account gets a copy of the record.
   */
  readonly actsFor: (owner: AccountId) => void;
  /**
   * Reports whether the caller also has another permission. Use it only if the permission decides about a detail of the
   * response, such as the error for a missing object. `access` declares the permissions that an operation requires.
   * The record has the decision if the permission is allowed, and with `notesDenial` also if it is denied.
   */
  readonly allows: (access: Access, notesDenial?: boolean) => Promise<boolean>;
  /**
   * Whether the caller is on the server's machine and does not use TLS. Responses to such a caller contain URLs without
   * TLS, because programs on this machine may not trust the server's certificate.
   */
  readonly localPlain: boolean;
  /**
   * Returns the result of slow work that needs no data of the transaction, such as a password hash. At the first call,
   * the server aborts the transaction and runs the work without a transaction. Then the server authorizes the request
   * again and runs the handler again. At this second call, the function returns the result. `name` identifies the work
   * within the request. Work with the same name runs only once.
   */
  readonly offload: <T>(name: string, work: () => Promise<T>) => T;
  /**
   * Returns the result of an exchange with a host outside of this server, as `offload` does. Each account can wait for a few hosts only, so that
   * slow hosts do not delay other accounts.
   *
   * @throws AwsError ServiceUnavailable  the account, or all accounts together, wait for too many hosts
   */
  readonly contact: <T>(name: string, work: () => Promise<T>) => T;
  /**
   * Returns the result of a long read, such as a report on all users. At the first call, the server aborts the
   * transaction and reads in transactions of `store`. Then the server authorizes the request again and runs the handler
   * again. At this second call, the function returns the result. `name` identifies the read within the request. Each
   * transaction of `store` must be short, because other requests wait for its end. To read a long list, use `surveyed`.
   * `compute` runs long computations with the facts in another thread.
   */
  readonly survey: <T>(name: string, read: (store: Pick<Store, 'transaction'>, compute: Compute) => Promise<T>) => T;
  /**
   * Runs an analysis of policies. A small analysis runs immediately. For a larger one, the server aborts the
   * transaction and runs the analysis in another thread. Then the server authorizes the request again and runs the
   * handler again. If the account's policies changed in the meantime, the server analyzes the changed policies.
   *
   * @throws StepsExceeded  the analysis needs more steps than one analysis may take
   * @throws AwsError Throttling  too many analyses of the account are waiting · ServiceUnavailable the policies kept
   *   changing
   */
  readonly analyze: RunAnalysis;
}

/** Runs an analysis and returns its outcome. */
export type RunAnalysis = <Kind extends Analysis['kind']>(analysis: Extract<Analysis, { readonly kind: Kind }>) => Outcome<Kind>;

/**
 * Error of an operation that must store a change although it fails. The server aborts the operation's own transaction.
 * Then it runs `lasting`, which stores the change, in the transaction that records the error in the trail.
 */
export class LastingRefusal extends AwsError {
  readonly lasting: (tx: Tx) => Promise<void>;

  constructor(code: string, message: string, lasting: (tx: Tx) => Promise<void>) {
    super(code, message);
    this.lasting = lasting;
  }
}

/** Permission that an operation requires before its handler runs. */
export type Access = RequiredAccess<Tx>;

/** An API operation: the permissions that it requires, and its implementation. */
export interface Operation<Input, Output> {
  /**
   * Returns the permission for the operation's own action first, then other required permissions.
   *
   * @throws AwsError  the input contains an invalid ARN, or tags that `newTags` rejects
   */
  readonly access: (input: Input, caller: Caller) => Access | readonly Access[];
  /**
   * Handles a request in a serializable transaction, which may run again after a conflict. The handler changes data
   * only through `tx`.
   */
  readonly handle: (call: Call, input: Input) => Promise<Output>;
  /**
   * Present only in an operation with a streamed body. It runs after authorization and before the server reads the
   * body, so that the server refuses a request without reading gigabytes. It changes nothing. `handle` checks again.
   */
  readonly admit?: (call: Call, input: Input) => Promise<void>;
}

/** A permission as an operation declares it. Default of `action`: the operation's own action, such as `chime:CreateChannel`. */
export type DeclaredAccess = Omit<Access, 'action'> & Partial<Pick<Access, 'action'>>;

/** An operation as a service declares it. `operationTable` adds the defaults. */
export interface DeclaredOperation<Input, Output> {
  /** Returns the required permissions. Default: the operation's own action on `*`. */
  readonly access?: (input: Input, caller: Caller) => DeclaredAccess | readonly DeclaredAccess[];
  readonly handle: Operation<Input, Output>['handle'];
  readonly admit?: NonNullable<Operation<Input, Output>['admit']>;
}

/** Declarations of all operations in the model of a service. */
export type ServiceOperations<Api extends Record<keyof Api, { input: unknown; output: unknown }>> = {
  readonly [Name in keyof Api]: DeclaredOperation<Api[Name]['input'], Api[Name]['output']>;
};
