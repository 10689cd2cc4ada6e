import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { AppInstanceUserSummary, ChimeSdkIdentityApi, ExpirationSettings } from '#model/generated/chime-sdk-identity.ts';
import { APP_INSTANCE_USER, findUser, inAppInstance, memberArn } from '../chime/app-instances.ts';
import type { IdentityEvent } from '../chime/events.ts';
import { onNew, requireTags, withTags } from '../chime/tags.ts';
import { once } from '../kit/once.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { onArns } from './access.ts';
import type { IdentityDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { appInstanceOrForbidden, limitExceeded, pageIn, userOrForbidden } from './found.ts';
import { addUser, removeUser, type UserRecord, userEvent } from './user-records.ts';

type Operations = ServiceOperations<ChimeSdkIdentityApi>;

const DAY_MS = 24 * 60 * 60_000;

/** The users of app instances. Source: chime-sdk-identity 2021-04-20, CreateAppInstanceUser … PutAppInstanceUserExpirationSettings. */
export function userOperations({
  limits,
}: IdentityDeps): Pick<
  Operations,
  | 'CreateAppInstanceUser'
  | 'DescribeAppInstanceUser'
  | 'UpdateAppInstanceUser'
  | 'DeleteAppInstanceUser'
  | 'ListAppInstanceUsers'
  | 'PutAppInstanceUserExpirationSettings'
> {
  return {
    /**
     * Makes a user of an app instance, or answers with the one this token made. Ids differ in case.
     *
     * Source: Chime SDK Developer Guide, "Using ExpirationSettings": who gives them must be allowed to put them. Requirement EVAL-9.
     * @throws ForbiddenException             no such app instance
     * @throws ConflictException              the token made another user, or the app instance has a user of this id
     * @throws BadRequestException            a tag that cannot be
     * @throws ResourceLimitExceededException the app instance has as many users as it may
     */
    CreateAppInstanceUser: {
      access(input, caller) {
        const users = `${input.AppInstanceArn}/user/`;
        const making = onNew(caller, 'chime:CreateAppInstanceUser', `${users}*`, input.Tags);
        if (input.ExpirationSettings === undefined) return making;
        return [...making, onArns(caller, 'chime:PutAppInstanceUserExpirationSettings', `${users}${input.AppInstanceUserId}`)];
      },
      async handle(call, input) {
        const { tx, now } = call;
        const appInstance = await appInstanceOrForbidden(call, input.AppInstanceArn);
        const isThere = async (arn: string) => (await findUser(tx, call, arn)) !== undefined;
        const AppInstanceUserArn = await once(call, 'chime:CreateAppInstanceUser', input, isThere, async () => {
          const { AppInstanceUserId, Name: name, Metadata: metadata, Tags = [], ExpirationSettings } = input;
          requireTags(Tags);
          const key = { ...inAppInstance(call, appInstance.id), id: AppInstanceUserId };
          const document = omitUndefined({ name, metadata });
          const added = { ...key, createdAt: now, updatedAt: now, tags: withTags([], Tags), document };
          const user = withExpiration(added, ExpirationSettings);
          const users = await addUser(tx, user);
          if (users === 'exists') throw new AwsError('ConflictException', 'The app instance has a user with this id.');
          if (users > limits.users) throw limitExceeded('users in an app instance', limits.users);
          return memberArn('user', key);
        });
        return { AppInstanceUserArn };
      },
    },

    /** @throws ForbiddenException no such user */
    DescribeAppInstanceUser: {
      access: (input, caller) => onArns(caller, 'chime:DescribeAppInstanceUser', input.AppInstanceUserArn),
      async handle(call, input) {
        const user = await userOrForbidden(call, input.AppInstanceUserArn);
        const { createdAt: CreatedTimestamp, updatedAt: LastUpdatedTimestamp } = user;
        return { AppInstanceUser: { ...toSummary(user), CreatedTimestamp, LastUpdatedTimestamp, ...toExpirationSettings(user) } };
      },
    },

    /**
     * Replaces name and metadata.
     *
     * Assumed: empty metadata is kept as it is given.
     * @throws ForbiddenException no such user
     */
    UpdateAppInstanceUser: {
      access: (input, caller) => onArns(caller, 'chime:UpdateAppInstanceUser', input.AppInstanceUserArn),
      async handle(call, input) {
        const { AppInstanceUserArn, Name: name, Metadata: metadata } = input;
        const user = await userOrForbidden(call, AppInstanceUserArn);
        await call.tx.resources.put(APP_INSTANCE_USER, { ...user, updatedAt: call.now, document: { ...user.document, name, metadata } });
        return { AppInstanceUserArn };
      },
    },

    /** Removes a user, who is no administrator any more and has no endpoints. @throws ForbiddenException no such user */
    DeleteAppInstanceUser: {
      access: (input, caller) => onArns(caller, 'chime:DeleteAppInstanceUser', input.AppInstanceUserArn),
      async handle(call, input) {
        const user = await userOrForbidden(call, input.AppInstanceUserArn);
        await removeUser(call.tx, user);
        await call.emit<IdentityEvent>(userEvent('AppInstanceUserDeleted', user));
        return {};
      },
    },

    /** In the order of ids. @throws ForbiddenException no such app instance · BadRequestException a token of another list */
    ListAppInstanceUsers: {
      access: (input, caller) => onArns(caller, 'chime:ListAppInstanceUsers', `${input.AppInstanceArn}/user/*`),
      async handle(call, input) {
        const { AppInstanceArn } = input;
        const { things, rest } = await pageIn(call, APP_INSTANCE_USER, input);
        return { AppInstanceArn, AppInstanceUsers: things.map(toSummary), ...rest };
      },
    },

    /**
     * Says when a user goes by itself, counted from when it was made; without settings it does not. A user whose time is over is there
     * until the next sweep, and can be given more.
     *
     * Source: Chime SDK API reference, PutAppInstanceUserExpirationSettings.
     * Assumed: the user is not updated by it.
     * @throws ForbiddenException no such user
     */
    PutAppInstanceUserExpirationSettings: {
      access: (input, caller) => onArns(caller, 'chime:PutAppInstanceUserExpirationSettings', input.AppInstanceUserArn),
      async handle(call, input) {
        const { AppInstanceUserArn, ExpirationSettings } = input;
        const user = withExpiration(await userOrForbidden(call, AppInstanceUserArn), ExpirationSettings);
        await call.tx.resources.put(APP_INSTANCE_USER, user);
        return { AppInstanceUserArn, ...toExpirationSettings(user) };
      },
    },
  };
}

/** CREATED_TIMESTAMP is the only criterion in the model. */
function withExpiration(user: UserRecord, settings: ExpirationSettings | undefined): UserRecord {
  const { expiresAt: _, document, ...rest } = user;
  const { expiration: __, ...kept } = document;
  if (settings === undefined) return { ...rest, document: kept };
  const { ExpirationDays: days, ExpirationCriterion: criterion } = settings;
  return { ...rest, expiresAt: instant(user.createdAt + days * DAY_MS), document: { ...kept, expiration: { days, criterion } } };
}

function toExpirationSettings({ document }: UserRecord): { readonly ExpirationSettings?: ExpirationSettings } {
  const { expiration } = document;
  return expiration === undefined
    ? {}
    : { ExpirationSettings: { ExpirationDays: expiration.days, ExpirationCriterion: expiration.criterion } };
}

function toSummary(user: UserRecord): AppInstanceUserSummary {
  const { name, metadata } = user.document;
  return omitUndefined({ AppInstanceUserArn: memberArn('user', user), Name: name, Metadata: metadata });
}
