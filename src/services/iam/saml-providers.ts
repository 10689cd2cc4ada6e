/**
 * SAML providers: the metadata of identity providers. The operations here store the metadata without parsing it.
 * `access/saml-metadata.ts` parses the metadata when the server verifies an assertion.
 *
 * Source: IAM API reference. Messages of the real service as quoted in public reports.
 */
import { arn } from '#core/arn.ts';
import { uniqueId } from '#core/base32.ts';
import { type Instant, instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { IamApi } from '#model/generated/iam.ts';
import type { SamlProviderRecord } from '#store/identity/identity.ts';
import type { Call, Caller, DeclaredAccess, ServiceOperations } from '../kit/operation.ts';
import { everySummary } from '../kit/summaries.ts';
import { AwsError } from './errors.ts';
import { nameKey, nameOfArn } from './names.ts';
import { withinQuota } from './quotas.ts';
import { type Context, onArn, onCreated, requestTagKeys, requestTags, tagMap } from './resources.ts';
import { someTags, toTags } from './shapes.ts';
import { mergedTags, newTags, tagsWithout } from './tag-rules.ts';
import { pageOfTags } from './tags.ts';

/** Validity of metadata without `validUntil`, in years. Assumed: 100, as in responses of real IAM. */
const VALID_YEARS = 100;

/** Operations on SAML providers. */
export const samlProviderOperations = {
  CreateSAMLProvider: {
    access: (input, caller) => onCreated('iam:TagSAMLProvider', samlArn(caller, input.Name), input.Tags),
    async handle(call, input) {
      ensureNoPrivateKeys(input);
      const tags = newTags(input.Tags);
      ensureMetadata(input.SAMLMetadataDocument);
      withinQuota('SAMLProvidersPerAccount', (await call.tx.identity.count(call.accountId, 'saml-provider')) + 1);
      const provider: SamlProviderRecord = {
        accountId: call.accountId,
        arn: samlArn(call, input.Name),
        name: input.Name,
        uuid: uniqueId('SAMLP', call.random),
        metadata: input.SAMLMetadataDocument,
        createdAt: call.now,
        validUntil: validUntil(input.SAMLMetadataDocument, call.now),
        tags,
      };
      if ((await call.tx.identity.add(call.accountId, 'saml-provider', nameKey(input.Name), provider)) === 'exists') {
        throw new AwsError('EntityAlreadyExistsException', `SAMLProvider with name ${input.Name} already exists.`);
      }
      return omitUndefined({ SAMLProviderArn: provider.arn, Tags: someTags(tags) });
    },
  },

  /**
   * Returns a provider. A provider without private keys has the mode `Allowed` and an empty list of keys.
   *
   * Source: localstack/localstack, tests/aws/services/iam, `test_get_saml_provider`, recorded on AWS on 2026-02-13: `Tags`,
   * `AssertionEncryptionMode` and `PrivateKeyList` are present.
   */
  GetSAMLProvider: {
    access: (input, caller) => onProvider(caller, input.SAMLProviderArn),
    async handle(call, input) {
      const provider = await samlProvider(call, input.SAMLProviderArn);
      return omitUndefined({
        SAMLProviderUUID: provider.uuid,
        SAMLMetadataDocument: provider.metadata,
        CreateDate: provider.createdAt,
        ValidUntil: provider.validUntil,
        Tags: toTags(provider.tags),
        AssertionEncryptionMode: 'Allowed' as const,
        PrivateKeyList: [],
      });
    },
  },

  UpdateSAMLProvider: {
    access: (input, caller) => onProvider(caller, input.SAMLProviderArn),
    async handle(call, input) {
      ensureNoPrivateKeys(input);
      const provider = await samlProvider(call, input.SAMLProviderArn);
      const metadata = input.SAMLMetadataDocument;
      if (metadata !== undefined) {
        ensureMetadata(metadata);
        await saveProvider(call, { ...provider, metadata, validUntil: validUntil(metadata, call.now) });
      }
      return { SAMLProviderArn: provider.arn };
    },
  },

  DeleteSAMLProvider: {
    access: (input, caller) => onProvider(caller, input.SAMLProviderArn),
    async handle(call, input) {
      const provider = await samlProvider(call, input.SAMLProviderArn);
      await call.tx.identity.remove(call.accountId, 'saml-provider', nameKey(provider.name));
      return {};
    },
  },

  ListSAMLProviders: {
    async handle(call) {
      const list = [];
      for await (const { record } of everySummary(call.tx, call.accountId, 'saml-provider')) {
        list.push({ Arn: record.arn, ValidUntil: record.validUntil, CreateDate: record.createdAt });
      }
      return { SAMLProviderList: list };
    },
  },

  TagSAMLProvider: {
    access: (input, caller) => onProvider(caller, input.SAMLProviderArn, requestTags(input.Tags)),
    async handle(call, input) {
      const provider = await samlProvider(call, input.SAMLProviderArn);
      await saveProvider(call, { ...provider, tags: mergedTags(provider.tags, input.Tags) });
      return {};
    },
  },
  UntagSAMLProvider: {
    access: (input, caller) => onProvider(caller, input.SAMLProviderArn, requestTagKeys(input.TagKeys)),
    async handle(call, input) {
      const provider = await samlProvider(call, input.SAMLProviderArn);
      await saveProvider(call, { ...provider, tags: tagsWithout(provider.tags, input.TagKeys) });
      return {};
    },
  },
  ListSAMLProviderTags: {
    access: (input, caller) => onProvider(caller, input.SAMLProviderArn),
    handle: async (call, input) => pageOfTags(input, (await samlProvider(call, input.SAMLProviderArn)).tags),
  },
} satisfies Partial<ServiceOperations<IamApi>>;

function samlArn(caller: Caller, name: string) {
  return arn('iam', '', caller.accountId, `saml-provider/${name}`);
}

function onProvider(caller: Caller, providerArn: string, context: Context = []): DeclaredAccess {
  return {
    ...onArn(providerArn, context),
    resourceTags: async (tx) => {
      const record = await tx.identity.get(caller.accountId, 'saml-provider', nameKey(nameOfArn(providerArn)));
      return [record?.arn === providerArn ? tagMap(record.tags) : undefined];
    },
  };
}

/** Returns the provider with an ARN. @throws NoSuchEntityException  the provider does not exist */
async function samlProvider(call: Call, providerArn: string): Promise<SamlProviderRecord> {
  const provider = await call.tx.identity.get(call.accountId, 'saml-provider', nameKey(nameOfArn(providerArn)));
  if (provider?.arn !== providerArn) throw new AwsError('NoSuchEntityException', `Manifest not found for arn ${providerArn}`);
  return provider;
}

async function saveProvider(call: Call, provider: SamlProviderRecord): Promise<void> {
  await call.tx.identity.put(call.accountId, 'saml-provider', nameKey(provider.name), provider);
}

/**
 * Rejects the members for encrypted assertions. Belfry does not decrypt assertions, so it accepts no private key, and a
 * provider cannot require encryption. Every provider has the mode `Allowed`, so this mode is accepted and not stored.
 */
function ensureNoPrivateKeys(input: {
  readonly AssertionEncryptionMode?: string;
  readonly AddPrivateKey?: string;
  readonly RemovePrivateKey?: string;
}): void {
  if (input.AddPrivateKey !== undefined || input.RemovePrivateKey !== undefined || input.AssertionEncryptionMode === 'Required') {
    throw new AwsError('InvalidInputException', 'Belfry does not support encrypted SAML assertions.');
  }
}

/**
 * Checks that a document contains `EntityDescriptor` and `X509Certificate`. Rejects a document with a DTD, because a
 * DTD can declare XML entities, which can expand to very long strings. Comments and CDATA are valid.
 */
function ensureMetadata(document: string): void {
  const isMetadata = document.includes('EntityDescriptor') && document.includes('X509Certificate') && !/<!DOCTYPE/i.test(document);
  if (!isMetadata) throw new AwsError('InvalidInputException', 'Could not parse metadata');
}

/** Returns the date of the first `validUntil` in the metadata, or a date in 100 years. */
function validUntil(document: string, now: Instant): Instant {
  const name = 'validUntil="';
  const from = document.indexOf(name);
  const text = from < 0 ? '' : document.slice(from + name.length, from + name.length + 30);
  const end = text.indexOf('"');
  const found = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T/.test(text) && end > 0 ? Date.parse(text.slice(0, end)) : Number.NaN;
  if (!Number.isNaN(found)) return instant(found);
  const date = new Date(now);
  date.setUTCFullYear(date.getUTCFullYear() + VALID_YEARS);
  return instant(date.getTime());
}
