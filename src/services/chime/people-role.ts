import type { AccountId } from '#core/arn.ts';
import type { ResourceKey, ResourceKind } from '#store/resources.ts';
import type { Tx } from '#store/store.ts';
import { CHIME_REGION } from '../chime-kit/chime-app-instance.ts';

/** Role whose credentials the people of an AWS account get. */
export interface PeopleRoleDocument {
  readonly RoleArn: string;
  /** Issuer of the tokens for the role, which stays the same if the server gets another address. */
  readonly IssuerUrl: string;
}

/** Selected roles. An AWS account has one at most. */
export const PEOPLE_ROLE: ResourceKind<PeopleRoleDocument> = { name: 'chime-people-role' };

export function peopleRoleKey(accountId: AccountId): ResourceKey {
  return { accountId, region: CHIME_REGION, parent: '', id: 'role' };
}

/** Returns the selected role of an AWS account, if there is one. */
export async function peopleRoleOf(tx: Tx, accountId: AccountId): Promise<PeopleRoleDocument | undefined> {
  return (await tx.resources.get(PEOPLE_ROLE, peopleRoleKey(accountId)))?.document;
}
