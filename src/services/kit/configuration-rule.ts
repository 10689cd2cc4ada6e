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
  /** Days that the event history keeps records. */
  readonly eventHistoryDays: number;
}

/** What a rule reads. Each read is a short transaction of its own. */
export interface RuleReading {
  readonly store: Pick<Store, 'transaction'>;
  readonly accountId: AccountId;
  readonly region: string;
  readonly now: Instant;
  readonly server: ServerFacts;
}

/** Where an auditor sees the fact that decided: a call that anyone with the permission can repeat, and what it returns. */
export interface Evidence {
  /** Action of the call: `iam:GetAccountSummary`. */
  readonly action: string;
  /** Input of the call: `{ UserName: 'alice' }`. */
  readonly input: Readonly<Record<string, string>>;
  /** Path of the member in the output that shows the fact: `SummaryMap.AccountAccessKeysPresent`. */
  readonly member: string;
  /** Its value, as text. */
  readonly value: string;
}

/** Result of a rule for one resource. */
export interface RuleResult {
  /** Type of AWS Config: `AWS::IAM::User`. `AWS::::Account` for the account itself. */
  readonly resourceType: string;
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
