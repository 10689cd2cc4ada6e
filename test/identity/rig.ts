/** Test kit of this folder: a server, its administrator's client, and functions that create app instances, users and bots. */
import {
  ChimeSDKIdentityClient,
  CreateAppInstanceBotCommand,
  CreateAppInstanceCommand,
  CreateAppInstanceUserCommand,
  type Tag,
} from '@aws-sdk/client-chime-sdk-identity';
import { type Guide, type Keys, startGuide } from '../guide/rig.ts';

/** A server with Chime SDK Identity clients. */
export interface IdentityRig extends Guide {
  identity(keys?: Keys): ChimeSDKIdentityClient;
  /** This and the next two functions create a resource and return its ARN. */
  newAppInstance(...Tags: readonly Tag[]): Promise<string>;
  newUser(AppInstanceArn: string, AppInstanceUserId: string, ...Tags: readonly Tag[]): Promise<string>;
  newBot(AppInstanceArn: string): Promise<string>;
}

export const BLUE: Tag = { Key: 'team', Value: 'blue' };
export const RED: Tag = { Key: 'team', Value: 'red' };

/** Configuration of a bot with an alias of Lex that does not exist. */
export const lexOf = (accountId: string) => ({
  Lex: { LexBotAliasArn: `arn:aws:lex:us-east-1:${accountId}:bot-alias/ABCDEFGHIJ/KLMNOPQRST`, LocaleId: 'en_US' },
});

export const projectOf = (accountId: string) => `arn:aws:mobiletargeting:us-east-1:${accountId}:apps/9f1c`;

export async function startIdentity(environment: Readonly<Record<string, string>> = {}): Promise<IdentityRig> {
  const guide = await startGuide(environment);
  const identity = (keys?: Keys) => new ChimeSDKIdentityClient(guide.at('chime-sdk-identity', keys));
  const admin = identity();
  const tags = (Tags: readonly Tag[]) => (Tags.length > 0 ? { Tags: [...Tags] } : {});
  return {
    ...guide,
    identity,
    async newAppInstance(...Tags) {
      return (await admin.send(new CreateAppInstanceCommand({ Name: 'chat', ...tags(Tags) }))).AppInstanceArn as string;
    },
    async newUser(AppInstanceArn, AppInstanceUserId, ...Tags) {
      const command = new CreateAppInstanceUserCommand({ AppInstanceArn, AppInstanceUserId, Name: AppInstanceUserId, ...tags(Tags) });
      return (await admin.send(command)).AppInstanceUserArn as string;
    },
    async newBot(AppInstanceArn) {
      const command = new CreateAppInstanceBotCommand({ AppInstanceArn, Configuration: lexOf(guide.accountId) });
      return (await admin.send(command)).AppInstanceBotArn as string;
    },
  };
}
