/** Use of permissions by a user or role, as the records of the trail have it. Threads search the records for it. */
import type { AccountId } from './arn.ts';

/** Range of records to search: from a time until a time, both included. */
export interface UseRange {
  readonly from: number;
  readonly to: number;
  /** Regions of the records. Absent: all regions. */
  readonly regions?: readonly string[];
}

/** Some packs of the trail, with the principal whose use is sought. Plain data, so that a thread can search them. */
export interface UsePart {
  readonly kind: 'search';
  readonly packs: readonly { readonly heads: string; readonly contexts: string }[];
  readonly accountId: AccountId;
  /** ARN of the user or role. */
  readonly holderArn: string;
  /** A record counts if one of the ranges has it. */
  readonly ranges: readonly UseRange[];
}

/** An action on a resource, as a policy lists it. */
export type UsedAccess = readonly [action: string, resource: string];

/** Use of a caller in some packs, without repetition. */
export interface FoundUse {
  readonly requests: number;
  readonly used: readonly UsedAccess[];
  /** Actions of denied requests. Other requests can have used them. */
  readonly denied: readonly string[];
}

/** Use in some packs. */
export interface PartUse {
  /** Use by the principal without a session. */
  readonly own: FoundUse;
  /** Use of sessions, by their IDs. The caller of the search knows whether a session belongs to the principal. */
  readonly ofSessions: readonly (readonly [sessionId: string, FoundUse])[];
  /** Number of records of the account whose facts are too large to be stored, so that their caller is not known. */
  readonly omitted: number;
}

/** Used actions with their resources, and the policies that a generated policy replaces. */
export interface UseToAllow {
  readonly kind: 'allow';
  readonly used: readonly (readonly [action: string, resources: readonly string[]])[];
  /** Texts of the present policies of the principal. */
  readonly present: readonly string[];
}

/** Statement of a policy in JSON. */
export type StatementJson = Readonly<Record<string, unknown>>;

/** Content of a generated policy. */
export interface AllowedUse {
  /** Used actions and resources, without those that a present Deny always forbids. */
  readonly used: UseToAllow['used'];
  /** Deny statements of the present policies. */
  readonly denials: readonly StatementJson[];
}

/** Work of a thread on recorded use, and its result. */
export type UseJob = UsePart | UseToAllow;
export type UseOutcome<Job extends UseJob = UseJob> = Job extends UsePart ? PartUse : AllowedUse;
