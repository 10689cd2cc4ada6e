import { omitUndefined } from '#core/omit-undefined.ts';
import type { AppInstanceSummary, ChimeSdkIdentityApi } from '#model/generated/chime-sdk-identity.ts';
import type { ResourceKind, ResourceRecord } from '#store/resources.ts';
import {
  APP_INSTANCE,
  APP_INSTANCE_ADMIN,
  APP_INSTANCE_BOT,
  APP_INSTANCE_USER,
  APP_INSTANCE_USER_ENDPOINT,
  type AppInstanceDocument,
  appInstanceArn,
  findAppInstance,
  inAppInstance,
} from '../chime/app-instances.ts';
import type { IdentityEvent } from '../chime/events.ts';
import { pageOf } from '../chime/page.ts';
import { onNew, requireTags, withTags } from '../chime/tags.ts';
import { once } from '../kit/once.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { onArns } from './access.ts';
import type { IdentityDeps } from './deps.ts';
import { appInstanceOrForbidden, requireRoom } from './found.ts';
import { APP_INSTANCE_USER_COUNT } from './user-records.ts';

type Operations = ServiceOperations<ChimeSdkIdentityApi>;

/** What goes with an app instance. What others keep of it goes when they hear AppInstanceDeleted. */
const IN_APP_INSTANCE: readonly ResourceKind<unknown>[] = [
  APP_INSTANCE_ADMIN,
  APP_INSTANCE_USER_ENDPOINT,
  APP_INSTANCE_USER,
  APP_INSTANCE_USER_COUNT,
  APP_INSTANCE_BOT,
];

/** Making, reading, changing and removing app instances. Source: chime-sdk-identity 2021-04-20, CreateAppInstance … ListAppInstances. */
export function appInstanceOperations({
  limits,
}: IdentityDeps): Pick<
  Operations,
  'CreateAppInstance' | 'DescribeAppInstance' | 'UpdateAppInstance' | 'DeleteAppInstance' | 'ListAppInstances'
> {
  return {
    /**
     * Makes an app instance, or answers with the one this token made. Several may have the same name.
     *
     * @throws ConflictException              the token made another one
     * @throws BadRequestException            a tag that cannot be
     * @throws ResourceLimitExceededException the account has as many as it may in this region
     */
    CreateAppInstance: {
      access: (input, caller) => onNew(caller, 'chime:CreateAppInstance', appInstanceArn(caller, '*'), input.Tags),
      async handle(call, input) {
        const { tx } = call;
        const isThere = async (arn: string) => (await findAppInstance(tx, call, arn)) !== undefined;
        const AppInstanceArn = await once(call, 'chime:CreateAppInstance', input, isThere, async () => {
          const { Name: name, Metadata: metadata, Tags = [] } = input;
          requireTags(Tags);
          const place = inAppInstance(call, '');
          const times = { createdAt: call.now, updatedAt: call.now };
          const added = { ...place, ...times, id: call.newId(), tags: withTags([], Tags), document: omitUndefined({ name, metadata }) };
          await tx.resources.add(APP_INSTANCE, added);
          await requireRoom(tx, APP_INSTANCE, place, 'app instances in an account', limits.appInstances);
          return appInstanceArn(call, added.id);
        });
        return { AppInstanceArn };
      },
    },

    /** @throws ForbiddenException no such app instance */
    DescribeAppInstance: {
      access: (input, caller) => onArns(caller, 'chime:DescribeAppInstance', input.AppInstanceArn),
      async handle(call, input) {
        const found = await appInstanceOrForbidden(call, input.AppInstanceArn);
        return { AppInstance: { ...toSummary(found), CreatedTimestamp: found.createdAt, LastUpdatedTimestamp: found.updatedAt } };
      },
    },

    /**
     * Replaces name and metadata.
     *
     * Assumed: empty metadata is kept as it is given.
     * @throws ForbiddenException no such app instance
     */
    UpdateAppInstance: {
      access: (input, caller) => onArns(caller, 'chime:UpdateAppInstance', input.AppInstanceArn),
      async handle(call, input) {
        const { AppInstanceArn, Name: name, Metadata: metadata } = input;
        const found = await appInstanceOrForbidden(call, AppInstanceArn);
        await call.tx.resources.put(APP_INSTANCE, { ...found, updatedAt: call.now, document: { ...found.document, name, metadata } });
        return { AppInstanceArn };
      },
    },

    /**
     * Removes an app instance and everything in it.
     *
     * Assumed: at once, where AWS removes what was in it some time later.
     * @throws ForbiddenException no such app instance
     */
    DeleteAppInstance: {
      access: (input, caller) => onArns(caller, 'chime:DeleteAppInstance', input.AppInstanceArn),
      async handle(call, input) {
        const { tx, accountId, region } = call;
        const { id } = await appInstanceOrForbidden(call, input.AppInstanceArn);
        await tx.resources.remove(APP_INSTANCE, { ...inAppInstance(call, ''), id });
        for (const kind of IN_APP_INSTANCE) await tx.resources.removeAll(kind, inAppInstance(call, id));
        await call.emit<IdentityEvent>({ type: 'AppInstanceDeleted', accountId, region, appInstanceId: id, arn: input.AppInstanceArn });
        return {};
      },
    },

    /** In the order of ids. @throws BadRequestException a token of another list */
    ListAppInstances: {
      access: (_, caller) => onArns(caller, 'chime:ListAppInstances', appInstanceArn(caller, '*')),
      async handle(call, input) {
        const { things, rest } = await pageOf(
          'ListAppInstances',
          input,
          (limit, after) => call.tx.resources.list(APP_INSTANCE, inAppInstance(call, ''), limit, after),
          ({ id }) => id,
        );
        return { AppInstances: things.map(toSummary), ...rest };
      },
    },
  };
}

function toSummary({ id, document, ...where }: ResourceRecord<AppInstanceDocument>): AppInstanceSummary {
  const { name, metadata } = document;
  return omitUndefined({ AppInstanceArn: appInstanceArn(where, id), Name: name, Metadata: metadata });
}
