import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeSdkIdentityApi, Identity } from '#model/generated/chime-sdk-identity.ts';
import type { ResourceKey, ResourceRecord } from '#store/resources.ts';
import { type AppInstanceMember, appInstanceArn, findMember, inAppInstance } from '../chime-kit/app-instances.ts';
import type { Call, Caller, DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import { pageOfKind } from '../kit/resource.ts';
import { findOrThrow } from '../kit/resource-kind.ts';
import { onArns } from './access.ts';
import type { IdentityDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { ADMINS, APP_INSTANCES, forbidden } from './kinds.ts';

/** Members of an input that identify an administrator. */
interface OfAdmin {
  readonly AppInstanceArn: string;
  readonly AppInstanceAdminArn: string;
}

/**
 * Administrators of app instances. An administrator is a user or bot of the app instance. These operations are not
 * generated with `resource`, as the operations of most resources are. The reason: the ID of an administrator is the ID
 * of an existing user or bot, and outputs contain the name of this user or bot.
 *
 * Source: chime-sdk-identity 2021-04-20, CreateAppInstanceAdmin … ListAppInstanceAdmins.
 */
export function adminOperations({ limits }: IdentityDeps) {
  return {
    /**
     * Assumed: the wording of the message of ConflictException.
     * @throws ForbiddenException             the app instance does not exist, or the user or bot is not in it
     * @throws ConflictException              the user or bot already is an administrator
     * @throws ResourceLimitExceededException the app instance has the maximum number of administrators
     */
    CreateAppInstanceAdmin: {
      access: onAdmin,
      async handle(call, input) {
        const { tx, now } = call;
        const { member, key } = await adminKey(call, input);
        if ((await tx.resources.add(ADMINS, { ...key, createdAt: now, updatedAt: now, tags: [], document: {} })) === 'exists') {
          throw new AwsError('ConflictException', `'${member.arn}' is already an administrator of the app instance.`);
        }
        if ((await tx.resources.count(ADMINS, key, limits.admins + 1)) > limits.admins) {
          throw ADMINS.conventions.limitExceeded('administrators of an app instance', limits.admins);
        }
        return { AppInstanceAdmin: toIdentity(member), AppInstanceArn: input.AppInstanceArn };
      },
    },

    /**
     * @throws ForbiddenException the app instance does not exist · the user or bot is not in the app instance · the
     *   user or bot is not an administrator
     */
    DescribeAppInstanceAdmin: {
      access: onAdmin,
      async handle(call, input) {
        const { member, key } = await adminKey(call, input);
        const admin = await call.tx.resources.get(ADMINS, key);
        if (admin === undefined) throw notAdmin(member);
        const { AppInstanceArn } = input;
        return { AppInstanceAdmin: { Admin: toIdentity(member), AppInstanceArn, CreatedTimestamp: admin.createdAt } };
      },
    },

    /**
     * Removes an administrator from the app instance. The user or bot itself remains.
     *
     * @throws ForbiddenException the app instance does not exist · the user or bot is not in the app instance · the
     *   user or bot is not an administrator
     */
    DeleteAppInstanceAdmin: {
      access: onAdmin,
      async handle(call, input) {
        const { member, key } = await adminKey(call, input);
        if ((await call.tx.resources.remove(ADMINS, key)) === 'absent') throw notAdmin(member);
        return {};
      },
    },

    /**
     * Returns a page of administrators: first the bots in the order of their IDs, then the users in the order of their
     * IDs.
     *
     * @throws ForbiddenException the app instance does not exist · BadRequestException the token belongs to another
     *   list
     */
    ListAppInstanceAdmins: {
      access: ({ AppInstanceArn: arn }, caller) => onArns(caller, arn, `${arn}/bot/*`, `${arn}/user/*`),
      async handle(call, input) {
        const { AppInstanceArn } = input;
        const { items, rest } = await pageOfKind(call, ADMINS, { ...input });
        const AppInstanceAdmins: { readonly Admin: Identity }[] = [];
        for (const admin of items) AppInstanceAdmins.push({ Admin: await identityOf(call, admin) });
        return { AppInstanceArn, AppInstanceAdmins, ...rest };
      },
    },
  } satisfies Partial<ServiceOperations<ChimeSdkIdentityApi>>;
}

function onAdmin({ AppInstanceArn, AppInstanceAdminArn }: OfAdmin, caller: Caller): DeclaredAccess {
  return onArns(caller, AppInstanceArn, AppInstanceAdminArn);
}

/**
 * Returns the key of an administrator's record, and the user or bot that the input names. The record need not exist,
 * but the user or bot must exist.
 */
async function adminKey(call: Call, input: OfAdmin): Promise<{ readonly member: AppInstanceMember; readonly key: ResourceKey }> {
  const { AppInstanceArn, AppInstanceAdminArn } = input;
  const appInstance = await findOrThrow(call, APP_INSTANCES, { AppInstanceArn });
  const member = await findMember(call.tx, call, AppInstanceAdminArn);
  if (member?.appInstanceId !== appInstance.id) throw forbidden('app instance user');
  return { member, key: { ...inAppInstance(call, appInstance.id), id: `${member.type}/${member.id}` } };
}

/**
 * Returns the user or bot of an administrator record. The user or bot exists, because its deletion also deletes the
 * administrator record.
 */
async function identityOf(call: Call, { id, parent }: ResourceRecord<unknown>): Promise<Identity> {
  const arn = `${appInstanceArn(call, parent)}/${id}`;
  const member = await findMember(call.tx, call, arn);
  if (member === undefined) throw new Error(`the administrator '${arn}' does not exist`);
  return toIdentity(member);
}

function toIdentity({ arn, name }: AppInstanceMember): Identity {
  return omitUndefined({ Arn: arn, Name: name });
}

/**
 * Returns the error for a user or bot that is not an administrator. Assumed: the error code and the wording of the
 * message.
 */
function notAdmin({ arn }: AppInstanceMember): AwsError {
  return new AwsError('ForbiddenException', `'${arn}' is not an administrator of the app instance.`);
}
