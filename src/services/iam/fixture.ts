/** Fixture for tests of services that use roles. */
import type { Arn } from '#core/arn.ts';
import type { Store } from '#store/store.ts';
import { ACCOUNT, START } from '../kit/fixture.ts';
import { nameKey, nameOfArn } from './names.ts';

/** Creates a role in `ACCOUNT`. `linkedService` makes it the service-linked role of that service. */
export async function addRole(
  store: Store,
  arn: string,
  more: { readonly trustPolicy?: object; readonly linkedService?: string; readonly tags?: readonly { key: string; value: string }[] } = {},
): Promise<void> {
  const { trustPolicy = {}, linkedService, tags = [] } = more;
  const roleName = nameOfArn(arn);
  await store.transaction((tx) =>
    tx.identity.put(ACCOUNT, 'role', nameKey(roleName), {
      accountId: ACCOUNT,
      arn: arn as Arn,
      path: arn.slice(arn.indexOf('/'), -roleName.length),
      createdAt: START,
      attachedPolicyArns: [],
      inlinePolicies: {},
      roleName,
      roleId: `AROA${roleName}`,
      trustPolicy: JSON.stringify(trustPolicy),
      maxSessionSeconds: 3600,
      tags,
      ...(linkedService !== undefined && { linkedService }),
    }),
  );
}
