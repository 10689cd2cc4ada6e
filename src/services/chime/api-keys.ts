/** Keys for the SCIM endpoint of accounts. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { instant } from '#core/instant.ts';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ApiKey, ChimeApi } from '#model/generated/chime.ts';
import { pageOf } from '../chime-kit/page.ts';
import type { Work } from '../kit/events.ts';
import type { ServiceOperations } from '../kit/operation.ts';
import type { ChimeDeps } from './deps.ts';
import { endCredentialsOfAccount } from './end-credentials.ts';
import { accountOrNotFound, badRequest, limitExceeded, notFound } from './stored-accounts.ts';
import { type AccountRecord, accounts } from './tables/accounts.ts';
import { type ApiKeyPlace, type ApiKeyRecord, apiKeys } from './tables/api-keys.ts';
import { requireName } from './texts.ts';

/** Most keys of an account. Assumed. */
const KEYS_MAX = 10;
const SECRET_BYTES = 32;
/** A key: its ID and its secret. */
const KEY = /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.([A-Za-z0-9_-]{43})$/;
/** Shortest time between two changes of the time of the last use. */
const USED_EVERY_MS = 60_000;
/** Compared with a secret whose key does not exist, so that the work is the same. */
const NO_DIGEST = createHash('sha256').digest();

/**
 * Source: Administration Guide, "Connecting to Okta SSO"; Service Authorization Reference, Amazon Chime: the actions. Assumed: inputs, outputs
 * and errors, as AWS publishes none. A key opens the SCIM endpoint for its account only, and no operation of AWS.
 */
export function apiKeyOperations({ scimUrl }: Pick<ChimeDeps, 'scimUrl'>) {
  return {
    /**
     * Creates a key. The response is the only one with the key, of which the server stores a digest. The first key ends the credentials of the
     * users.
     *
     * @throws BadRequestException             the name has a line break or another control character · the account has no OpenID provider
     * @throws NotFoundException               the account does not exist
     * @throws ResourceLimitExceededException  the account has 10 keys
     */
    CreateApiKey: {
      async handle(call, { AccountId, Name }) {
        if (Name !== undefined) requireName(Name);
        const { accountId, chimeAccountId, accountType } = await accountOrNotFound(call, AccountId);
        if (accountType !== 'EnterpriseOIDC') throw badRequest('The account has no OpenID provider.');
        const keys = await call.tx.of(apiKeys).count(chimeAccountId);
        if (keys >= KEYS_MAX) throw limitExceeded();
        // From the first key on, only people that the provider has provisioned can sign in.
        if (keys === 0) await endCredentialsOfAccount(call.tx, chimeAccountId);
        const secret = Buffer.from(call.random(SECRET_BYTES)).toString('base64url');
        const key: ApiKeyRecord = omitUndefined({
          chimeAccountId,
          apiKeyId: call.newId(),
          accountId,
          name: Name,
          digest: digestOf(secret).toString('base64url'),
          createdAt: call.now,
        });
        await call.tx.of(apiKeys).add(key);
        return { ApiKey: toApiKey(key), ApiKeyValue: `${key.apiKeyId}.${secret}`, ScimEndpoint: scimUrl() };
      },
    },

    /** @throws NotFoundException  the account does not exist · BadRequestException  the token is invalid */
    ListApiKeys: {
      async handle(call, input) {
        const { chimeAccountId } = await accountOrNotFound(call, input.AccountId);
        const { items, rest } = await pageOf(
          `ListApiKeys ${chimeAccountId}`,
          input,
          (limit, after) => call.tx.of(apiKeys).list(chimeAccountId, limit, after === undefined ? undefined : placeIn(after)),
          ({ createdAt, apiKeyId }) => `${createdAt} ${apiKeyId}`,
        );
        return { ApiKeys: items.map(toApiKey), ...rest };
      },
    },

    /** Deletes a key. Each request reads the key, so all servers refuse it at once. @throws NotFoundException  the account or the key does not exist */
    DeleteApiKey: {
      async handle(call, { AccountId, ApiKeyId }) {
        const { chimeAccountId } = await accountOrNotFound(call, AccountId);
        if ((await call.tx.of(apiKeys).remove(chimeAccountId, ApiKeyId)) === 'absent') throw notFound('ApiKey', ApiKeyId);
        return {};
      },
    },
  } satisfies Partial<ServiceOperations<ChimeApi>>;
}

/** Key that a request has, with its account. */
export interface OpenedKey {
  readonly key: ApiKeyRecord;
  readonly account: AccountRecord;
}

/**
 * Returns the account that a key opens, and stores the time of the use. Returns undefined for an unknown or deleted key, and for an account that
 * was deleted or has no OpenID provider.
 */
export async function openApiKey({ tx, now }: Pick<Work, 'tx' | 'now'>, text: string): Promise<OpenedKey | undefined> {
  const [, apiKeyId, secret] = KEY.exec(text) ?? [];
  if (apiKeyId === undefined || secret === undefined) return undefined;
  const key = await tx.of(apiKeys).find(apiKeyId);
  const kept = key === undefined ? NO_DIGEST : Buffer.from(key.digest, 'base64url');
  if (!timingSafeEqual(kept, digestOf(secret)) || key === undefined) return undefined;
  const account = await tx.of(accounts).get(key.accountId, key.chimeAccountId);
  if (account === undefined || account.disabledAt !== undefined || account.accountType !== 'EnterpriseOIDC') return undefined;
  if (key.usedAt === undefined || key.usedAt + USED_EVERY_MS <= now) await tx.of(apiKeys).setUsed(key, now);
  return { key, account };
}

function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function toApiKey({ apiKeyId, name, createdAt, usedAt }: ApiKeyRecord): ApiKey {
  return omitUndefined({ ApiKeyId: apiKeyId, Name: name, CreatedTimestamp: createdAt, LastUsedTimestamp: usedAt });
}

function placeIn(key: string): ApiKeyPlace {
  const [, createdAt, apiKeyId = ''] = /^(\d{1,15}) ([\w-]{1,36})$/.exec(key) ?? [];
  if (createdAt === undefined) throw badRequest();
  return { createdAt: instant(Number(createdAt)), apiKeyId };
}
