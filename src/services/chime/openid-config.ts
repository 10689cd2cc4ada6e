/** OpenID providers of accounts. */
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeApi, OpenIdConfig } from '#model/generated/chime.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import { IS_TEAM } from './account-types.ts';
import type { ChimeDeps } from './deps.ts';
import { AwsError } from './errors.ts';
import { CHIME_OPENID_CONFIG, type OpenIdRecord, openIdBinding, openIdKey } from './openid-kind.ts';
import { setProvider, withoutProvider } from './providers.ts';
import { accountOrNotFound, badRequest, conflict, toAccount } from './stored-accounts.ts';
import { accounts } from './tables/accounts.ts';

/** Source: Administration Guide, "Connecting to Okta SSO"; chime.md §1, §6. Assumed: inputs, outputs and errors, as AWS publishes none. */
export function openIdOperations({ vault, openIdCallback }: Pick<ChimeDeps, 'vault' | 'openIdCallback'>) {
  const toConfig = ({ parent, document: { Issuer, ClientId }, createdAt, updatedAt }: OpenIdRecord): OpenIdConfig => ({
    Issuer,
    ClientId,
    RedirectUri: openIdCallback(parent),
    CreatedTimestamp: createdAt,
    UpdatedTimestamp: updatedAt,
  });
  return {
    /**
     * Sets the provider. An absent secret stays only if the issuer stays, so that no secret is sent to another issuer. Another issuer or client
     * ends all sessions of the users.
     *
     * Assumed: users that are registered stay registered. Without SCIM, the claim `groups` decides at the next sign-in.
     * @throws NotFoundException    the account does not exist
     * @throws BadRequestException  the account has no verified domain · the issuer has a user, a query or a fragment
     * @throws ConflictException    the account has a directory
     */
    UpdateAccountOpenIdConfig: {
      async handle(call, { AccountId, Issuer, ClientId, ClientSecret }) {
        const account = await accountOrNotFound(call, AccountId);
        if (account.accountType === 'Team') throw badRequest(IS_TEAM);
        if (!isIssuer(Issuer)) throw badRequest('The issuer is invalid.');
        if (account.accountType === 'EnterpriseDirectory') throw conflict();
        const key = openIdKey(account);
        const before = await call.tx.resources.get(CHIME_OPENID_CONFIG, key);
        const sealedSecret =
          ClientSecret !== undefined
            ? vault.seal(ClientSecret, openIdBinding(key, Issuer))
            : before?.document.Issuer === Issuer
              ? before.document.sealedSecret
              : undefined;
        const document = omitUndefined({ Issuer, ClientId, sealedSecret });
        const config: OpenIdRecord = { ...key, createdAt: before?.createdAt ?? call.now, updatedAt: call.now, tags: [], document };
        if (before === undefined) await call.tx.resources.add(CHIME_OPENID_CONFIG, config);
        else await call.tx.resources.put(CHIME_OPENID_CONFIG, config);
        if (before?.document.Issuer !== Issuer || before.document.ClientId !== ClientId) await setProvider(call, account, 'EnterpriseOIDC');
        return { OpenIdConfig: toConfig(config) };
      },
    },

    /**
     * Deletes the provider with its keys, groups and provisioned users. The users stay in the account, and the sessions end. Registered users
     * choose a password with the link of a mail, and suspended ones stay suspended.
     *
     * @throws NotFoundException  the account or the configuration does not exist
     */
    DeleteAccountOpenIdConfig: {
      async handle(call, { AccountId }) {
        const account = await accountOrNotFound(call, AccountId);
        if (account.accountType !== 'EnterpriseOIDC') throw new AwsError('NotFoundException', 'The account has no OpenID provider.');
        await call.tx.of(accounts).put(await withoutProvider(call, account));
        return {};
      },
    },

    /** @throws NotFoundException  the account does not exist */
    GetAccountWithOpenIdConfig: {
      async handle(call, { AccountId }) {
        const account = await accountOrNotFound(call, AccountId);
        const config = await call.tx.resources.get(CHIME_OPENID_CONFIG, openIdKey(account));
        return { Account: toAccount(account), ...(config !== undefined && { OpenIdConfig: toConfig(config) }) };
      },
    },
  } satisfies Partial<ServiceOperations<ChimeApi>>;
}

/** Reports whether a text is an issuer. Source: OpenID Connect Discovery 1.0, section 3: an https URL without query and fragment. */
function isIssuer(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return protocol === 'https:' && `${username}${password}${search}${hash}` === '' && !/[?#]/.test(text);
}
