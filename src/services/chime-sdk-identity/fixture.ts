/** Fixture of the tests in this folder: the operations on a real store in memory. */
import type { Vault } from '#core/vault.ts';
import type { ChimeSdkIdentityApi } from '#model/generated/chime-sdk-identity.ts';
import type { Store } from '#store/store.ts';
import type { IdentityEvent } from '../chime-kit/events.ts';
import { ACCOUNT, openOperations, type Run } from '../kit/fixture.ts';
import { DEFAULT_LIMITS, type IdentityLimits } from './deps.ts';
import { identityOperations } from './operations.ts';

export { ACCOUNT, CALLER, OTHER_ACCOUNT, START } from '../kit/fixture.ts';

type Api = ChimeSdkIdentityApi;

/** ARN of an app instance that does not exist. */
export const UNKNOWN = `arn:aws:chime:us-east-1:${ACCOUNT}:app-instance/ffffffff-0000-4000-8000-000000000000`;
export const LEX = lexIn('us-east-1');
export const PROJECT = `arn:aws:mobiletargeting:us-east-1:${ACCOUNT}:apps/9f1c`;

/** Returns the settings of a Lex bot in a region. */
export function lexIn(region: string, accountId: string = ACCOUNT) {
  return { LexBotAliasArn: `arn:aws:lex:${region}:${accountId}:bot-alias/ABCDEFGHIJ/KLMNOPQRST`, LocaleId: 'en_US' };
}

/** Test vault: `seal` only reverses the secret, and `open` requires the same `boundTo` as `seal`. */
export const VAULT: Vault = {
  seal: (secret, boundTo) => JSON.stringify([boundTo, [...secret].reverse().join('')]),
  open(sealed, boundTo) {
    const [of, secret] = JSON.parse(sealed) as [string, string];
    if (of !== boundTo) throw new Error(`sealed for ${of}`);
    return [...secret].reverse().join('');
  },
};

export interface Fixture {
  readonly store: Store;
  readonly emitted: IdentityEvent[];
  readonly run: Run<Api>;
  /**
   * Creates an app instance and resolves to its ARN. `user` and `bot` create a user or a bot and resolve to its ARN.
   */
  appInstance(more?: Partial<Api['CreateAppInstance']['input']>): Promise<string>;
  user(appInstanceArn: string, id: string, more?: Partial<Api['CreateAppInstanceUser']['input']>): Promise<string>;
  bot(appInstanceArn: string, more?: Partial<Api['CreateAppInstanceBot']['input']>): Promise<string>;
  /** Registers an endpoint. Resolves to its ID. */
  endpoint(userArn: string, more?: Partial<Api['RegisterAppInstanceUserEndpoint']['input']>): Promise<string>;
}

export async function openFixture(limits: Partial<IdentityLimits> = {}): Promise<Fixture> {
  const emitted: IdentityEvent[] = [];
  const { store, run } = await openOperations<Api>(identityOperations({ vault: VAULT, limits: { ...DEFAULT_LIMITS, ...limits } }), emitted);
  let tokens = 0;
  const next = () => ({ ClientRequestToken: `token-${++tokens}` });
  return {
    store,
    emitted,
    run,
    async appInstance(more = {}) {
      return (await run('CreateAppInstance', { ...next(), Name: 'chat', ...more })).AppInstanceArn as string;
    },
    async user(AppInstanceArn, id, more = {}) {
      const input = { ...next(), AppInstanceArn, AppInstanceUserId: id, Name: id, ...more };
      return (await run('CreateAppInstanceUser', input)).AppInstanceUserArn as string;
    },
    async bot(AppInstanceArn, more = {}) {
      const input = { ...next(), AppInstanceArn, Configuration: { Lex: LEX }, ...more };
      return (await run('CreateAppInstanceBot', input)).AppInstanceBotArn as string;
    },
    async endpoint(AppInstanceUserArn, more = {}) {
      const token = next();
      const attributes = { Type: 'APNS', ResourceArn: PROJECT, EndpointAttributes: { DeviceToken: token.ClientRequestToken } } as const;
      return (await run('RegisterAppInstanceUserEndpoint', { ...token, AppInstanceUserArn, ...attributes, ...more })).EndpointId as string;
    },
  };
}
