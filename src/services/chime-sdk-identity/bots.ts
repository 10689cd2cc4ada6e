import { parseArn } from '#core/arn.ts';
import { APP_INSTANCE_ADMIN, type AppInstanceBotDocument, memberArn } from '../chime-kit/app-instances.ts';
import type { IdentityEvent } from '../chime-kit/events.ts';
import type { Call } from '../kit/operation.ts';
import { type Change, resource } from '../kit/resource.ts';
import { refuseInChime } from './chime-owned.ts';
import type { IdentityDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { BOTS } from './kinds.ts';

/**
 * Bots of app instances, with their Amazon Lex configuration. The Lex V2 endpoint of the operator answers for them. The server does not check
 * that the Lex bot exists.
 *
 * Source: chime-sdk-identity 2021-04-20, CreateAppInstanceBot … ListAppInstanceBots. DescribeAppInstanceBot is the only
 * operation whose model has NotFoundException.
 * Assumed: (1) An empty name and empty metadata are stored. (2) The wording of the message of NotFoundException.
 */
export function botOperations({ limits }: IdentityDeps) {
  return resource(BOTS, {
    limit: { most: limits.bots, per: 'parent', title: 'bots in an app instance' },
    create: { operation: 'CreateAppInstanceBot', guard: [(call, { input }) => refuseInChime(call, input.AppInstanceArn), requireLexBot] },
    read: {
      operation: 'DescribeAppInstanceBot',
      notFound: (_, botArn) => new AwsError('NotFoundException', `App instance bot '${botArn}' not found`),
    },
    update: { operation: 'UpdateAppInstanceBot', guard: [requireLexBot] },
    delete: {
      operation: 'DeleteAppInstanceBot',
      async after(call, bot) {
        await call.tx.resources.remove(APP_INSTANCE_ADMIN, { ...bot, id: `bot/${bot.id}` });
        const { accountId, region, parent: appInstanceId, id } = bot;
        await call.emit<IdentityEvent>({ type: 'AppInstanceBotDeleted', accountId, region, appInstanceId, id, arn: memberArn('bot', bot) });
      },
    },
    list: { operation: 'ListAppInstanceBots' },
  });
}

/**
 * Checks that the Lex bot of a request is in the account and region of the app instance.
 *
 * Source: Chime SDK Developer Guide, "Creating an Amazon Lex V2 bot". Assumed: the wording of the error message.
 * @throws BadRequestException
 */
function requireLexBot(
  { accountId, region }: Call,
  { input: { Configuration } }: Change<AppInstanceBotDocument, Partial<AppInstanceBotDocument>>,
): void {
  if (Configuration === undefined) return;
  const lex = parseArn(Configuration.Lex.LexBotAliasArn);
  if (lex?.accountId !== accountId || lex.region !== region) {
    throw new AwsError('BadRequestException', 'The Lex bot must be in the account and region of the app instance.');
  }
}
