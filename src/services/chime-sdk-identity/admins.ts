import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeSdkIdentityApi, Identity } from '#model/generated/chime-sdk-identity.ts';
import type { ResourceKey, ResourceRecord } from '#store/resources.ts';
import { APP_INSTANCE_ADMIN, type AppInstanceMember, appInstanceArn, findMember, inAppInstance } from '../chime/app-instances.ts';
import type { Access, Call, Caller, ServiceOperations } from '../kit/operation.ts';
import { onArns } from './access.ts';
import type { IdentityDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { appInstanceOrForbidden, memberOrForbidden, pageIn, requireRoom } from './found.ts';

type Operations = ServiceOperations<ChimeSdkIdentityApi>;

/** An administrator, as requests name it. */
interface Named {
  readonly AppInstanceArn: string;
  readonly AppInstanceAdminArn: string;
}

/**
 * Who administers app instances: users and bots of them.
 *
 * Source: chime-sdk-identity 2021-04-20, CreateAppInstanceAdmin … ListAppInstanceAdmins.
 */
export function adminOperations({
  limits,
}: IdentityDeps): Pick<
  Operations,
  'CreateAppInstanceAdmin' | 'DescribeAppInstanceAdmin' | 'DeleteAppInstanceAdmin' | 'ListAppInstanceAdmins'
> {
  return {
    /**
     * Assumed: the text of the conflict.
     * @throws ForbiddenException             no such app instance, or no such user or bot in it
     * @throws ConflictException              it is an administrator
     * @throws ResourceLimitExceededException the app instance has as many as it may
     */
    CreateAppInstanceAdmin: {
      access: onAdmin('chime:CreateAppInstanceAdmin'),
      async handle(call, input) {
        const { tx, now } = call;
        const { member, key } = await adminKey(call, input);
        if ((await tx.resources.add(APP_INSTANCE_ADMIN, { ...key, createdAt: now, updatedAt: now, tags: [], document: {} })) === 'exists') {
          throw new AwsError('ConflictException', `${member.arn} is an administrator of the app instance.`);
        }
        await requireRoom(tx, APP_INSTANCE_ADMIN, key, 'administrators of an app instance', limits.admins);
        return { AppInstanceAdmin: toIdentity(member), AppInstanceArn: input.AppInstanceArn };
      },
    },

    /** @throws ForbiddenException no such app instance, no such user or bot in it, or it is no administrator */
    DescribeAppInstanceAdmin: {
      access: onAdmin('chime:DescribeAppInstanceAdmin'),
      async handle(call, input) {
        const { member, key } = await adminKey(call, input);
        const admin = await call.tx.resources.get(APP_INSTANCE_ADMIN, key);
        if (admin === undefined) throw noAdmin(member);
        const { AppInstanceArn } = input;
        return { AppInstanceAdmin: { Admin: toIdentity(member), AppInstanceArn, CreatedTimestamp: admin.createdAt } };
      },
    },

    /** The user or bot stays. @throws ForbiddenException no such app instance, no such user or bot in it, or it is no administrator */
    DeleteAppInstanceAdmin: {
      access: onAdmin('chime:DeleteAppInstanceAdmin'),
      async handle(call, input) {
        const { member, key } = await adminKey(call, input);
        if ((await call.tx.resources.remove(APP_INSTANCE_ADMIN, key)) === 'absent') throw noAdmin(member);
        return {};
      },
    },

    /** Bots, then users, each in the order of ids. @throws ForbiddenException no such app instance · BadRequestException a token of another list */
    ListAppInstanceAdmins: {
      access(input, caller) {
        const { AppInstanceArn: arn } = input;
        return onArns(caller, 'chime:ListAppInstanceAdmins', arn, `${arn}/bot/*`, `${arn}/user/*`);
      },
      async handle(call, input) {
        const { AppInstanceArn } = input;
        const { things, rest } = await pageIn(call, APP_INSTANCE_ADMIN, input);
        const AppInstanceAdmins: { readonly Admin: Identity }[] = [];
        for (const admin of things) AppInstanceAdmins.push({ Admin: await identityOf(call, admin) });
        return { AppInstanceArn, AppInstanceAdmins, ...rest };
      },
    },
  };
}

function onAdmin(action: Access['action']): (input: Named, caller: Caller) => Access {
  return (input, caller) => onArns(caller, action, input.AppInstanceArn, input.AppInstanceAdminArn);
}

/** Where it is kept that a member administers its app instance, whether it does or not. */
async function adminKey(call: Call, input: Named): Promise<{ readonly member: AppInstanceMember; readonly key: ResourceKey }> {
  const appInstance = await appInstanceOrForbidden(call, input.AppInstanceArn);
  const member = await memberOrForbidden(call, appInstance, input.AppInstanceAdminArn);
  return { member, key: { ...inAppInstance(call, appInstance.id), id: `${member.type}/${member.id}` } };
}

/** Who is removed is no administrator any more, so each is there. */
async function identityOf(call: Call, { id, parent }: ResourceRecord<unknown>): Promise<Identity> {
  const arn = `${appInstanceArn(call, parent)}/${id}`;
  const member = await findMember(call.tx, call, arn);
  if (member === undefined) throw new Error(`${arn} is an administrator and is not there`);
  return toIdentity(member);
}

function toIdentity({ arn, name }: AppInstanceMember): Identity {
  return omitUndefined({ Arn: arn, Name: name });
}

/** Assumed: code and text. */
function noAdmin({ arn }: AppInstanceMember): AwsError {
  return new AwsError('ForbiddenException', `${arn} is not an administrator of the app instance.`);
}
