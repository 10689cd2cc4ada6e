import type { AccountId } from '#core/arn.ts';
import type { Instant } from '#core/instant.ts';
import type { Vault } from '#core/vault.ts';
import type { Tx } from '#store/store.ts';
import type { LinkedRoleUsage } from '../service-linked-roles.ts';

/** When, where and with which service something was used last. */
export interface LastUse {
  readonly at: Instant;
  readonly region: string;
  /** `chime`, `iam` … */
  readonly serviceNamespace: string;
}

/** What the trail knows of the last uses. */
export interface LastUses {
  readonly ofAccessKey: (tx: Tx, accountId: AccountId, accessKeyId: string) => Promise<LastUse | undefined>;
  readonly ofRole: (tx: Tx, accountId: AccountId, roleArn: string) => Promise<LastUse | undefined>;
}

/** What the operations of IAM need besides a call. */
export interface IamDeps {
  readonly vault: Vault;
  readonly lastUse?: LastUses;
  /** What in an account still needs the service-linked role of a service. Absent: nothing ever does. */
  readonly linkedRoleUsage?: (tx: Tx, accountId: AccountId, service: string) => Promise<readonly LinkedRoleUsage[]>;
}
