/**
 * Creation and deletion of service-linked roles. Requirements SLR-1 to SLR-15.
 */
import { type AccountId, arn } from '#core/arn.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { IamApi } from '#model/generated/iam.ts';
import type { DeletionTaskRecord } from '#store/identity/identity.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import type { IamDeps } from './deps.ts';
import { entity } from './entities.ts';
import { AwsError } from './errors.ts';
import { nameKey } from './names.ts';
import { onArn, onRole } from './resources.ts';
import { attachmentKey } from './reverse-index.ts';
import { removeRole } from './roles.ts';
import { addLinkedRole, linkedRoleArn, linkedService } from './service-linked-roles.ts';
import { toNewRole } from './shapes.ts';

/** Returns the operations on service-linked roles. */
export function linkedRoleOperations(deps: IamDeps) {
  return {
    CreateServiceLinkedRole: {
      access: (input, caller) => {
        const linked = linkedService(input.AWSServiceName);
        const resource =
          linked === undefined
            ? arn('iam', '', caller.accountId, `role/aws-service-role/${input.AWSServiceName}/*`)
            : linkedRoleArn(caller.accountId, linked);
        return onArn(resource, [['iam:awsservicename', input.AWSServiceName]]);
      },
      /** Assumed: the message for an unknown service. */
      async handle(call, input) {
        const linked = linkedService(input.AWSServiceName);
        if (linked === undefined) {
          throw new AwsError('InvalidInputException', `Service '${input.AWSServiceName}' does not have service-linked roles.`);
        }
        if (input.CustomSuffix !== undefined) {
          throw new AwsError('InvalidInputException', `Custom suffix is not allowed for ${input.AWSServiceName}`);
        }
        const role = await addLinkedRole(call, linked, input.Description);
        if (role === 'taken') {
          throw new AwsError(
            'InvalidInputException',
            `Service role name ${linked.roleName} has been taken in this account, please try a different suffix.`,
          );
        }
        return { Role: toNewRole(role, role.trustPolicy) };
      },
    },

    /**
     * Deletes a service-linked role that is not in use. When the operation returns, the deletion task has already
     * succeeded or failed. GetServiceLinkedRoleDeletionStatus returns the status of the task and, after a failure, the
     * resources that still use the role.
     *
     * Assumed: a role that is not service-linked is NoSuchEntity.
     */
    DeleteServiceLinkedRole: {
      access: (input, caller) => onRole(caller, input.RoleName),
      async handle(call, input) {
        const role = await entity(call, 'role', input.RoleName);
        if (role.linkedService === undefined) {
          throw new AwsError('NoSuchEntityException', `The service-linked role with name ${input.RoleName} cannot be found.`);
        }
        const usage = (await deps.linkedRoleUsage?.(call, role.linkedService)) ?? [];
        const taskId = `task/aws-service-role/${role.linkedService}/${role.roleName}/${call.newId()}`;
        const task: DeletionTaskRecord = {
          accountId: call.accountId,
          taskId,
          roleName: role.roleName,
          roleId: role.roleId,
          askedAt: call.now,
          ...(usage.length === 0
            ? { status: 'SUCCEEDED' as const }
            : {
                status: 'FAILED' as const,
                reason: 'The listed resources still use the service-linked role. Delete these resources, then delete the role again.',
                usage,
              }),
        };
        await call.tx.identity.put(call.accountId, 'deletion-task', taskId, task);
        if (usage.length > 0) return { DeletionTaskId: taskId };

        for (const policyArn of role.attachedPolicyArns) {
          await call.tx.identity.remove(call.accountId, 'attachment', attachmentKey(policyArn, 'role', nameKey(role.roleName)));
        }
        await removeRole(call, role);
        return { DeletionTaskId: taskId };
      },
    },

    GetServiceLinkedRoleDeletionStatus: {
      access: (input, caller) => onArn(roleOfTask(caller.accountId, input.DeletionTaskId)),
      async handle(call, input) {
        const task = await call.tx.identity.get(call.accountId, 'deletion-task', input.DeletionTaskId);
        if (task === undefined) throw new AwsError('NoSuchEntityException', `The deletion task ${input.DeletionTaskId} cannot be found.`);
        const Reason =
          task.status === 'FAILED'
            ? omitUndefined({
                Reason: task.reason,
                RoleUsageList: task.usage?.map((use) => ({ Region: use.region, Resources: use.resources })),
              })
            : undefined;
        return omitUndefined({ Status: task.status, Reason });
      },
    },
  } satisfies Partial<ServiceOperations<IamApi>>;
}

/**
 * Returns the ARN of the role in a deletion task ID. The ID has the form
 * `task/aws-service-role/<service>/<role name>/<id>`. For any other task ID, returns the ARN with `role/*`.
 */
function roleOfTask(accountId: AccountId, taskId: string): string {
  const [task, path, service, roleName] = taskId.split('/');
  const known = task === 'task' && path === 'aws-service-role' && service !== undefined && roleName !== undefined;
  return arn('iam', '', accountId, known ? `role/aws-service-role/${service}/${roleName}` : 'role/*');
}
