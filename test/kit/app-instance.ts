/** App instances of Chime SDK Identity, with users and bots. Each function returns the ARN of the new resource. */
import {
  type ChimeSDKIdentityClient,
  CreateAppInstanceBotCommand,
  CreateAppInstanceCommand,
  CreateAppInstanceUserCommand,
  type CreateAppInstanceUserCommandInput,
  type Tag,
} from '@aws-sdk/client-chime-sdk-identity';

/** Creates an app instance `chat`. */
export async function newAppInstance(identity: ChimeSDKIdentityClient, ...Tags: Tag[]): Promise<string> {
  const { AppInstanceArn } = await identity.send(new CreateAppInstanceCommand({ Name: 'chat', ...(Tags.length > 0 && { Tags }) }));
  return AppInstanceArn as string;
}

/** Creates a user of an app instance. The user's name is the same string as the ID. */
export async function newAppInstanceUser(
  identity: ChimeSDKIdentityClient,
  AppInstanceArn: string | undefined,
  AppInstanceUserId: string,
  more: Partial<CreateAppInstanceUserCommandInput> = {},
): Promise<string> {
  const input = { AppInstanceArn, AppInstanceUserId, Name: AppInstanceUserId, ...more };
  return (await identity.send(new CreateAppInstanceUserCommand(input))).AppInstanceUserArn as string;
}

/** Returns the configuration of a bot, with the ARN of a Lex bot alias that does not exist. */
export const lexOf = (accountId: string) => ({
  Lex: { LexBotAliasArn: `arn:aws:lex:us-east-1:${accountId}:bot-alias/ABCDEFGHIJ/KLMNOPQRST`, LocaleId: 'en_US' },
});

/** Creates a bot of an app instance. */
export async function newBot(identity: ChimeSDKIdentityClient, AppInstanceArn: string): Promise<string> {
  const [, , , , accountId = ''] = AppInstanceArn.split(':');
  const command = new CreateAppInstanceBotCommand({ AppInstanceArn, Configuration: lexOf(accountId) });
  return (await identity.send(command)).AppInstanceBotArn as string;
}
