/**
 * Rules about the configuration of an account, in the manner of AWS Config. Requirement COMP-6.
 *
 * Each service declares the rules about what it stores. The rules only read, and are evaluated when they are asked for.
 */
import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Store } from '#store/store.ts';

/** Facts of the server that rules check. */
export interface ServerFacts {
  /** Oldest version of TLS that the server accepts: `TLSv1.2`. */
  readonly tlsFloor: string;
  /** Days that the event history keeps records, unless the operator set other days for an account. */
  readonly eventHistoryDays: number;
  /** Whether the server answers reads that the trail does not record while the trail cannot be written. */
  readonly readsWithoutTrail: boolean;
  /** Number of hosts with internal IP addresses to which the server may connect for accounts. Their names are only for the operator. */
  readonly internalHosts: number;
}

/** What a rule reads. Each read is a short transaction of its own. */
export interface RuleReading {
  readonly store: Pick<Store, 'transaction'>;
  readonly accountId: AccountId;
  readonly region: string;
  readonly now: Instant;
  readonly server: ServerFacts;
  /** Whether results have the texts of the policies that they are about. They take memory, so only a caller that shows them sets it. */
  readonly withPolicies?: boolean;
}

/** Call that shows the fact that decided. Every caller with the permission can repeat it in the region of the evaluation. */
export interface Evidence {
  /** Service and operation of the call: `iam:GetAccountSummary`. */
  readonly action: string;
  /** Input of the call: `{ UserName: 'alice' }`. */
  readonly input: Readonly<Record<string, string>>;
  /**
   * Member of the output that shows the fact, as a JMESPath expression, which the AWS CLI accepts as `--query`:
   * `SummaryMap.AccountAccessKeysPresent`. The expression `Error.Code` is the code of the error that the call returns. The content of the
   * credential report counts as a list of its lines: `Content[?user=='alice'].mfa_active | [0]`.
   */
  readonly member: string;
  /** Value of the member, in the format of `evidenceValue`. */
  readonly value: string;
  /** Text of the policy that the member shows. Only with `RuleReading.withPolicies`. */
  readonly policy?: string;
}

/** Result of a rule for one resource. */
export interface RuleResult {
  /** Type of AWS Config: `AWS::IAM::User`. `AWS::::Account` for the account itself. */
  readonly resourceType: string;
  /** Unique ID of a user (`AIDA…`), group, role or policy, name of a bucket, ARN of a trail, ID of an account or organization. */
  readonly resourceId: string;
  readonly compliance: 'COMPLIANT' | 'NON_COMPLIANT';
  /** One sentence with the fact that decided. At most 256 characters. */
  readonly annotation: string;
  readonly evidence: readonly Evidence[];
}

/** A rule. */
export interface ConfigurationRule {
  /** In kebab-case. The name of the managed rule of AWS Config if there is one: `iam-root-access-key-check`. */
  readonly name: string;
  /** One sentence that is true of a compliant account: `The root user has no access keys.` */
  readonly description: string;
  /** Parameters with their values: `{ maxAccessKeyAge: '90' }`. */
  readonly parameters: Readonly<Record<string, string>>;
  /** IDs of the requirements that the rule checks: `COMP-6`. */
  readonly requirements: readonly string[];
  /** Returns the result for each resource that the rule is about. No result means that the account has no such resource. */
  readonly evaluate: (reading: RuleReading) => Promise<readonly RuleResult[]>;
}

/** Compliance of an account with a rule. `NOT_APPLICABLE`: the account has no resource that the rule is about. */
export type RuleCompliance = 'COMPLIANT' | 'NON_COMPLIANT' | 'NOT_APPLICABLE';

/** A rule with its results for one account. */
export interface EvaluatedRule {
  readonly rule: ConfigurationRule;
  readonly compliance: RuleCompliance;
  /** Results in the order of resource types and IDs. */
  readonly results: readonly RuleResult[];
}
