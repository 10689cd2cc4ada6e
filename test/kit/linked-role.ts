import {
  DeleteServiceLinkedRoleCommand,
  GetServiceLinkedRoleDeletionStatusCommand,
  type IAMClient,
  ListRolesCommand,
} from '@aws-sdk/client-iam';

/** Requests the deletion of a service-linked role. Returns the status of the deletion. */
export async function deleteLinkedRole(admin: IAMClient, RoleName: string) {
  const { DeletionTaskId } = await admin.send(new DeleteServiceLinkedRoleCommand({ RoleName }));
  return await admin.send(new GetServiceLinkedRoleDeletionStatusCommand({ DeletionTaskId }));
}

/** Reports whether a service-linked role exists. */
export async function linkedRoleExists(admin: IAMClient, roleName: string): Promise<boolean> {
  const { Roles = [] } = await admin.send(new ListRolesCommand({ PathPrefix: '/aws-service-role/' }));
  return Roles.some(({ RoleName }) => RoleName === roleName);
}
