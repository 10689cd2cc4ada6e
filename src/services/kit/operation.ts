import type { AccountId } from '#core/arn.ts';
import { AwsError } from '#core/aws-error.ts';
import type { Principal } from '#core/principal.ts';
import type { RequiredAccess } from '#core/required-access.ts';
import type { Analysis, Outcome } from '#policy/analysis.ts';
import type { Store, Tx } from '#store/store.ts';
import type { Work } from './events.ts';

/** Authenticated caller of an operation. `access` knows only the caller and the input. */
export interface Caller {
  readonly principal: Principal;
  /** Account of the caller. Operations find resources only there, because Chime has no cross-account access. Requirement EVAL-8. */
  readonly accountId: AccountId;
  /** Region of the credential scope: `aws:RequestedRegion`. */
  readonly region: string;
  /** In `classic` every permission applies to `*`, without tag keys. Requirements CHM-1, TAG-2. */
  readonly profile: 'classic' | 'sdk';
}

/** Everything that a handler can reach, in addition to its input. It has no clock, randomness or network of its own. */
export interface Call extends Caller, Work {
  /** Returns `bytes` cryptographically random bytes. */
  readonly random: (bytes: number) => Uint8Array;
  readonly requestId: string;
  /** Whether the caller is on the server's machine and does not use TLS. Programs there may not trust the server's certificate. */
  readonly localPlain: boolean;
  /**
   * Returns the result of slow work that needs no data of the transaction, such as a password hash. The server aborts the transaction,
   * runs the work off the thread, then authorizes and handles again. `name` identifies the work within the request: one name has one
   * result.
   */
  readonly offload: <T>(name: string, work: () => Promise<T>) => T;
  /**
   * Returns the result of a long read, such as a report on all users. The server aborts the transaction, reads in transactions of `store`,
   * then authorizes and handles again. Each transaction must be short, because others wait for it. `name` is as in `offload`. `survey.ts`
   * reads a list.
   */
  readonly survey: <T>(name: string, read: (store: Pick<Store, 'transaction'>) => Promise<T>) => T;
  /**
   * Runs an analysis of policies: at once if it is small, otherwise in another thread, as `offload` does. The outcome belongs to
   * exactly this analysis: if the account's policies changed in between, the analysis runs again.
   *
   * @throws StepsExceeded  the analysis needs more work than one may take
   * @throws AwsError Throttling  too many analyses of the account are waiting · ServiceUnavailable the policies kept changing
   */
  readonly analyze: RunAnalysis;
}

/** Runs an analysis and returns its outcome. */
export type RunAnalysis = <Kind extends Analysis['kind']>(analysis: Extract<Analysis, { readonly kind: Kind }>) => Outcome<Kind>;

/**
 * Error with an effect that remains. The operation's own transaction is aborted, and `lasting` runs in the transaction that records the
 * error.
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
   * @throws AwsError  the input contains an invalid ARN or ambiguous tags
   */
  readonly access: (input: Input, caller: Caller) => Access | readonly Access[];
  /** Runs in a serializable transaction, which may run again after a conflict. It changes only `tx`. */
  readonly handle: (call: Call, input: Input) => Promise<Output>;
}

/** A permission as an operation declares it. Default of `action`: the operation's own action, such as `chime:CreateChannel`. */
export type DeclaredAccess = Omit<Access, 'action'> & Partial<Pick<Access, 'action'>>;

/** An operation as a service declares it. `operationTable` completes it. */
export interface DeclaredOperation<Input, Output> {
  /** Like `Operation.access`. Default: the operation's own action on `*`. */
  readonly access?: (input: Input, caller: Caller) => DeclaredAccess | readonly DeclaredAccess[];
  readonly handle: Operation<Input, Output>['handle'];
}

/** The declarations of exactly the operations in the model of a service. */
export type ServiceOperations<Api extends Record<keyof Api, { input: unknown; output: unknown }>> = {
  readonly [Name in keyof Api]: DeclaredOperation<Api[Name]['input'], Api[Name]['output']>;
};
