/**
 * OpenID Connect providers. Each provider names one issuer and a list of audiences. A token of this issuer for one of
 * these audiences can be exchanged for a role session.
 *
 * Source: IAM API reference. Messages of the real service as quoted in public reports. Requirement FED-2.
 */
import { type AccountId, arn } from '#core/arn.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { IamApi } from '#model/generated/iam.ts';
import type { OidcProviderRecord } from '#store/identity/identity.ts';
import type { Tx } from '#store/store.ts';
import type { Call, Caller, DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import { everySummary } from '../kit/summaries.ts';
import { AwsError } from './errors.ts';
import { QUOTAS, withinQuota } from './quotas.ts';
import { type Context, onArn, onCreated, requestTagKeys, requestTags, tagMap } from './resources.ts';
import { someTags, toTags } from './shapes.ts';
import { mergedTags, newTags, tagsWithout } from './tag-rules.ts';
import { pageOfTags } from './tags.ts';

const THUMBPRINTS_MAX = 5;
const THUMBPRINT = /^[0-9A-Fa-f]{40}$/;

/** Operations on OpenID Connect providers. */
export const oidcProviderOperations = {
  CreateOpenIDConnectProvider: {
    access: (input, caller) => onCreated('iam:TagOpenIDConnectProvider', oidcArn(caller, issuerOf(input.Url)), input.Tags),
    /**
     * Assumed: the thumbprint list may remain empty. For an empty list, AWS fetches a thumbprint from the issuer. An
     * operation of Belfry has no network access.
     */
    async handle(call, input) {
      const url = issuerOf(input.Url);
      const tags = newTags(input.Tags);
      ensureThumbprints(input.ThumbprintList ?? []);
      withinClientIds(input.ClientIDList ?? []);
      withinQuota('OIDCProvidersPerAccount', (await call.tx.identity.count(call.accountId, 'oidc-provider')) + 1);
      const provider: OidcProviderRecord = {
        accountId: call.accountId,
        arn: oidcArn(call, url),
        url,
        clientIds: [...new Set(input.ClientIDList ?? [])],
        thumbprints: input.ThumbprintList ?? [],
        createdAt: call.now,
        tags,
      };
      if ((await call.tx.identity.add(call.accountId, 'oidc-provider', url, provider)) === 'exists') {
        throw new AwsError('EntityAlreadyExistsException', `Provider with url https://${url} already exists.`);
      }
      return omitUndefined({ OpenIDConnectProviderArn: provider.arn, Tags: someTags(tags) });
    },
  },

  /**
   * Returns a provider.
   *
   * Source: localstack/localstack, tests/aws/services/iam, recorded on AWS on 2026-02-17: `Tags` is present even if the
   * provider has no tags.
   */
  GetOpenIDConnectProvider: {
    access: (input, caller) => onProvider(caller, input.OpenIDConnectProviderArn),
    async handle(call, input) {
      const provider = await oidcProvider(call, input.OpenIDConnectProviderArn);
      return omitUndefined({
        Url: provider.url,
        ClientIDList: provider.clientIds,
        ThumbprintList: provider.thumbprints,
        CreateDate: provider.createdAt,
        Tags: toTags(provider.tags),
      });
    },
  },

  AddClientIDToOpenIDConnectProvider: {
    access: (input, caller) => onProvider(caller, input.OpenIDConnectProviderArn),
    async handle(call, input) {
      const provider = await oidcProvider(call, input.OpenIDConnectProviderArn);
      const clientIds = [...new Set([...provider.clientIds, input.ClientID])];
      withinClientIds(clientIds);
      await saveProvider(call, { ...provider, clientIds });
      return {};
    },
  },

  RemoveClientIDFromOpenIDConnectProvider: {
    access: (input, caller) => onProvider(caller, input.OpenIDConnectProviderArn),
    async handle(call, input) {
      const provider = await oidcProvider(call, input.OpenIDConnectProviderArn);
      await saveProvider(call, { ...provider, clientIds: provider.clientIds.filter((id) => id !== input.ClientID) });
      return {};
    },
  },

  UpdateOpenIDConnectProviderThumbprint: {
    access: (input, caller) => onProvider(caller, input.OpenIDConnectProviderArn),
    async handle(call, input) {
      const provider = await oidcProvider(call, input.OpenIDConnectProviderArn);
      ensureThumbprints(input.ThumbprintList);
      await saveProvider(call, { ...provider, thumbprints: input.ThumbprintList });
      return {};
    },
  },

  /**
   * Deletes a provider.
   *
   * @throws NoSuchEntityException  the provider does not exist
   * Source: localstack/localstack, tests/aws/services/iam, `test_delete_open_id_connect_provider`, recorded on AWS on 2026-02-18. The API
   * reference still says that this operation is idempotent.
   */
  DeleteOpenIDConnectProvider: {
    access: (input, caller) => onProvider(caller, input.OpenIDConnectProviderArn),
    async handle(call, input) {
      const provider = await findProvider(call.tx, call.accountId, input.OpenIDConnectProviderArn);
      if (provider === undefined)
        throw new AwsError('NoSuchEntityException', `OpenId connect Provider ${input.OpenIDConnectProviderArn} cannot be found.`);
      await call.tx.identity.remove(call.accountId, 'oidc-provider', provider.url);
      return {};
    },
  },

  ListOpenIDConnectProviders: {
    async handle(call) {
      const list = [];
      for await (const { record } of everySummary(call.tx, call.accountId, 'oidc-provider')) list.push({ Arn: record.arn });
      return { OpenIDConnectProviderList: list };
    },
  },

  TagOpenIDConnectProvider: {
    access: (input, caller) => onProvider(caller, input.OpenIDConnectProviderArn, requestTags(input.Tags)),
    async handle(call, input) {
      const provider = await oidcProvider(call, input.OpenIDConnectProviderArn);
      await saveProvider(call, { ...provider, tags: mergedTags(provider.tags, input.Tags) });
      return {};
    },
  },
  UntagOpenIDConnectProvider: {
    access: (input, caller) => onProvider(caller, input.OpenIDConnectProviderArn, requestTagKeys(input.TagKeys)),
    async handle(call, input) {
      const provider = await oidcProvider(call, input.OpenIDConnectProviderArn);
      await saveProvider(call, { ...provider, tags: tagsWithout(provider.tags, input.TagKeys) });
      return {};
    },
  },
  ListOpenIDConnectProviderTags: {
    access: (input, caller) => onProvider(caller, input.OpenIDConnectProviderArn),
    handle: async (call, input) => pageOfTags(input, (await oidcProvider(call, input.OpenIDConnectProviderArn)).tags),
  },
} satisfies Partial<ServiceOperations<IamApi>>;

function oidcArn(caller: Caller, url: string) {
  return arn('iam', '', caller.accountId, `oidc-provider/${url}`);
}

/** Returns the part of an ARN after `oidc-provider/`, or an empty string. */
function urlOf(providerArn: string): string {
  const name = ':oidc-provider/';
  const from = providerArn.indexOf(name);
  return from < 0 ? '' : providerArn.slice(from + name.length);
}

/**
 * Returns the issuer in a URL, without `https://`. A slash at the end is part of the issuer, as it is in tokens.
 *
 *     https://idp.example → idp.example
 *     https://tenant.auth0.com/ → tenant.auth0.com/
 *
 * @throws ValidationError  the URL is not an https URL, or contains a query, a fragment, a user name or a password
 *
 * Source: trust policies for Auth0 in mozilla-iam/mozilla-aws-cli, README: `oidc-provider/auth.mozilla.auth0.com/` and
 * `auth.mozilla.auth0.com/:aud`; aws/aws-sam-cli, issue 7432: a provider that was created with the slash has it in its name.
 * Assumed: a port is accepted, although AWS rejects it, because internal providers often have one.
 */
function issuerOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const plain = parsed !== undefined && parsed.protocol === 'https:' && parsed.search === '' && parsed.hash === '';
  if (!plain || parsed.username !== '' || parsed.password !== '') {
    throw new AwsError('ValidationError', 'Invalid Open ID Connect Provider URL');
  }
  // `URL` adds the path `/` if the string has no path, so the string itself is tested.
  return /^https:\/\/[^/]+$/i.test(url) ? parsed.host : parsed.host + parsed.pathname;
}

function ensureThumbprints(thumbprints: readonly string[]): void {
  if (thumbprints.length > THUMBPRINTS_MAX) {
    throw new AwsError('InvalidInputException', `Thumbprint list must contain fewer than ${THUMBPRINTS_MAX} entries.`);
  }
  for (const thumbprint of thumbprints) {
    if (!THUMBPRINT.test(thumbprint)) throw new AwsError('InvalidInputException', 'Thumbprints must be 40 hexadecimal digits.');
  }
}

function withinClientIds(clientIds: readonly string[]): void {
  if (clientIds.length > QUOTAS.ClientIDsPerProvider) {
    throw new AwsError(
      'LimitExceededException',
      `Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: ${QUOTAS.ClientIDsPerProvider}`,
    );
  }
}

function onProvider(caller: Caller, providerArn: string, context: Context = []): DeclaredAccess {
  return {
    ...onArn(providerArn, context),
    resourceTags: async (tx) => {
      const provider = await findProvider(tx, caller.accountId, providerArn);
      return [provider && tagMap(provider.tags)];
    },
  };
}

/**
 * Returns the provider if its stored ARN equals `providerArn`. An equal URL is not sufficient, because permissions
 * apply to the whole ARN.
 */
async function findProvider(tx: Tx, accountId: AccountId, providerArn: string): Promise<OidcProviderRecord | undefined> {
  const provider = await tx.identity.get(accountId, 'oidc-provider', urlOf(providerArn));
  return provider?.arn === providerArn ? provider : undefined;
}

/** Returns the provider with an ARN. @throws NoSuchEntityException  the provider does not exist */
async function oidcProvider(call: Call, providerArn: string): Promise<OidcProviderRecord> {
  const provider = await findProvider(call.tx, call.accountId, providerArn);
  if (provider === undefined) throw new AwsError('NoSuchEntityException', `OpenIDConnect Provider not found for arn ${providerArn}`);
  return provider;
}

async function saveProvider(call: Call, provider: OidcProviderRecord): Promise<void> {
  await call.tx.identity.put(call.accountId, 'oidc-provider', provider.url, provider);
}
