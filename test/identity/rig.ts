/** What the tests of this folder share: a server, its administrator's client, and app instances made with it. */
import {
  ChimeSDKIdentityClient,
  CreateAppInstanceBotCommand,
  CreateAppInstanceCommand,
  CreateAppInstanceUserCommand,
  type Tag,
} from '@aws-sdk/client-chime-sdk-identity';
import { type Guide, type Keys, startGuide } from '../guide/rig.ts';

export interface IdentityRig extends Guide {
  identity(keys?: Keys): ChimeSDKIdentityClient;
  /** Each makes one; resolves to its ARN. */
  newAppInstance(...Tags: readonly Tag[]): Promise<string>;
  newUser(AppInstanceArn: string, AppInstanceUserId: string, ...Tags: readonly Tag[]): Promise<string>;
  newBot(AppInstanceArn: string): Promise<string>;
}

export const BLUE: Tag = { Key: 'team', Value: 'blue' };
export const RED: Tag = { Key: 'team', Value: 'red' };

/** A Lex bot that nobody has. */
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
