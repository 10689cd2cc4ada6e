import { omitUndefined } from '#core/omit-undefined.ts';
import type { AppInstanceBotSummary, ChimeSdkIdentityApi, Configuration } from '#model/generated/chime-sdk-identity.ts';
import type { ResourceRecord } from '#store/resources.ts';
import {
  APP_INSTANCE_ADMIN,
  APP_INSTANCE_BOT,
  type AppInstanceBotDocument,
  findBot,
  inAppInstance,
  memberArn,
} from '../chime/app-instances.ts';
import type { IdentityEvent } from '../chime/events.ts';
import { onNew, requireTags, withTags } from '../chime/tags.ts';
import { once } from '../kit/once.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { onArns } from './access.ts';
import type { IdentityDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { appInstanceOrForbidden, botOrForbidden, pageIn, requireRoom } from './found.ts';

type Operations = ServiceOperations<ChimeSdkIdentityApi>;

/**
 * The bots of app instances: who they are, and the Amazon Lex configuration as it was given. There is no Lex here, so that it exists is
 * not looked into, and no bot ever answers.
 *
 * Source: chime-sdk-identity 2021-04-20, CreateAppInstanceBot … ListAppInstanceBots.
 */
export function botOperations({
  limits,
}: IdentityDeps): Pick<
  Operations,
  'CreateAppInstanceBot' | 'DescribeAppInstanceBot' | 'UpdateAppInstanceBot' | 'DeleteAppInstanceBot' | 'ListAppInstanceBots'
> {
  return {
    /**
     * Makes a bot of an app instance, or answers with the one this token made.
     *
     * @throws ForbiddenException             no such app instance
     * @throws ConflictException              the token made another bot
     * @throws BadRequestException            a tag that cannot be
     * @throws ResourceLimitExceededException the app instance has as many bots as it may
     */
    CreateAppInstanceBot: {
      access: (input, caller) => onNew(caller, 'chime:CreateAppInstanceBot', `${input.AppInstanceArn}/bot/*`, input.Tags),
      async handle(call, input) {
        const { tx, now } = call;
        const appInstance = await appInstanceOrForbidden(call, input.AppInstanceArn);
        const isThere = async (arn: string) => (await findBot(tx, call, arn)) !== undefined;
        const AppInstanceBotArn = await once(call, 'chime:CreateAppInstanceBot', input, isThere, async () => {
          const { Name: name, Metadata: metadata, Configuration: configuration, Tags = [] } = input;
          requireTags(Tags);
          const place = inAppInstance(call, appInstance.id);
          const document = omitUndefined({ name, metadata, configuration });
          const bot = { ...place, id: call.newId(), createdAt: now, updatedAt: now, tags: withTags([], Tags), document };
          await tx.resources.add(APP_INSTANCE_BOT, bot);
          await requireRoom(tx, APP_INSTANCE_BOT, place, 'bots in an app instance', limits.bots);
          return memberArn('bot', bot);
        });
        return { AppInstanceBotArn };
      },
    },

    /** The only operation that models it. Assumed: the text. @throws NotFoundException no such bot */
    DescribeAppInstanceBot: {
      access: (input, caller) => onArns(caller, 'chime:DescribeAppInstanceBot', input.AppInstanceBotArn),
      async handle(call, input) {
        const bot = await findBot(call.tx, call, input.AppInstanceBotArn);
        if (bot === undefined) throw new AwsError('NotFoundException', `App instance bot ${input.AppInstanceBotArn} not found`);
        const { createdAt: CreatedTimestamp, updatedAt: LastUpdatedTimestamp } = bot;
        const Configuration = bot.document.configuration as Configuration;
        return { AppInstanceBot: { ...toSummary(bot), Configuration, CreatedTimestamp, LastUpdatedTimestamp } };
      },
    },

    /**
     * Replaces name and metadata, and the configuration where one is given.
     *
     * Assumed: an empty name and empty metadata are kept as they are given.
     * @throws ForbiddenException no such bot
     */
    UpdateAppInstanceBot: {
      access: (input, caller) => onArns(caller, 'chime:UpdateAppInstanceBot', input.AppInstanceBotArn),
      async handle(call, input) {
        const { AppInstanceBotArn, Name: name, Metadata: metadata } = input;
        const bot = await botOrForbidden(call, AppInstanceBotArn);
        const document = { name, metadata, configuration: input.Configuration ?? bot.document.configuration };
        await call.tx.resources.put(APP_INSTANCE_BOT, { ...bot, updatedAt: call.now, document });
        return { AppInstanceBotArn };
      },
    },

    /** Removes a bot, which is no administrator any more. @throws ForbiddenException no such bot */
    DeleteAppInstanceBot: {
      access: (input, caller) => onArns(caller, 'chime:DeleteAppInstanceBot', input.AppInstanceBotArn),
      async handle(call, input) {
        const { tx } = call;
        const bot = await botOrForbidden(call, input.AppInstanceBotArn);
        await tx.resources.remove(APP_INSTANCE_BOT, bot);
        await tx.resources.remove(APP_INSTANCE_ADMIN, { ...bot, id: `bot/${bot.id}` });
        const { accountId, region, parent: appInstanceId, id } = bot;
        await call.emit<IdentityEvent>({ type: 'AppInstanceBotDeleted', accountId, region, appInstanceId, id, arn: memberArn('bot', bot) });
        return {};
      },
    },

    /** In the order of ids. @throws ForbiddenException no such app instance · BadRequestException a token of another list */
    ListAppInstanceBots: {
      access: (input, caller) => onArns(caller, 'chime:ListAppInstanceBots', `${input.AppInstanceArn}/bot/*`),
      async handle(call, input) {
        const { AppInstanceArn } = input;
        const { things, rest } = await pageIn(call, APP_INSTANCE_BOT, input);
        return { AppInstanceArn, AppInstanceBots: things.map(toSummary), ...rest };
      },
    },
  };
}

function toSummary(bot: ResourceRecord<AppInstanceBotDocument>): AppInstanceBotSummary {
  const { name, metadata } = bot.document;
  return omitUndefined({ AppInstanceBotArn: memberArn('bot', bot), Name: name, Metadata: metadata });
}
