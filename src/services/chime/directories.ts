/** LDAP directories, which sign in the people of accounts. */
import { X509Certificate } from 'node:crypto';
import { omitUndefined } from '#core/omit-undefined.ts';
import type { ChimeApi, Directory } from '#model/generated/chime.ts';
import { pageOf } from '../chime-kit/page.ts';
import type { Call, ServiceOperations } from '../kit/operation.ts';
import { IS_TEAM } from './account-types.ts';
import type { ChimeDeps } from './deps.ts';
import { CHIME_DIRECTORY, type DirectoryRecord, directoriesOf, directoryBinding, settingsOf } from './directory-kind.ts';
import { AwsError } from './errors.ts';
import { setProvider, withoutProvider } from './providers.ts';
import { accountOrNotFound, badRequest, conflict, limitExceeded, notFound } from './stored-accounts.ts';
import { accounts } from './tables/accounts.ts';
import { type DirectorySyncRecord, directorySyncs } from './tables/directory-syncs.ts';
import { requireName } from './texts.ts';

/** Most directories of an AWS account, and most certificates of a directory. Assumed. */
const DIRECTORIES_MAX = 10;
const CERTIFICATES_MAX = 20;
const ID_BYTES = 5;

/**
 * Source: Administration Guide, "Connecting to your Active Directory"; recorded response with `DirectoryId`; chime.md §1, §6. Assumed: inputs,
 * outputs and errors, as AWS publishes none. AWS connects directories of its Directory Service, and this server any LDAP server with TLS.
 */
export function directoryOperations({ vault, checkDirectory }: Pick<ChimeDeps, 'vault' | 'checkDirectory'>) {
  return {
    /**
     * Stores a directory after it was read.
     *
     * @throws BadRequestException             the name or a certificate is invalid · the directory cannot be read, with the reason
     * @throws ResourceLimitExceededException  the AWS account has 10 directories
     * @throws ServiceUnavailableException     the server waits for too many hosts already
     */
    AuthorizeDirectory: {
      async handle(call, input) {
        const { Name, Url, BaseDn, BindDn, BindPassword, CaCertificates } = input;
        requireName(Name);
        if (!URL.canParse(Url)) throw badRequest('The URL is invalid.');
        if (CaCertificates !== undefined && !areCertificates(CaCertificates)) throw badRequest('The certificates are invalid.');
        const place = directoriesOf(call.accountId);
        if ((await call.tx.resources.list(CHIME_DIRECTORY, place, DIRECTORIES_MAX)).length >= DIRECTORIES_MAX) throw limitExceeded();
        const key = { ...place, id: `d-${Buffer.from(call.random(ID_BYTES)).toString('hex')}` };
        const document = omitUndefined({
          ...{ Name, Url, BaseDn, BindDn, CaCertificates },
          sealedPassword: vault.seal(BindPassword, directoryBinding(key)),
          EmailAttribute: input.EmailAttribute ?? 'mail',
          ProxyAddressAttribute: input.ProxyAddressAttribute ?? 'proxyAddresses',
          DisplayNameAttribute: input.DisplayNameAttribute ?? 'displayName',
        });
        const directory: DirectoryRecord = { ...key, createdAt: call.now, updatedAt: call.now, tags: [], document };
        const problem = call.contact('directory', () => checkDirectory(settingsOf(vault, directory)));
        if (problem !== undefined) throw new AwsError('BadRequestException', problem);
        await call.tx.resources.add(CHIME_DIRECTORY, directory);
        return { Directory: toDirectory(directory) };
      },
    },

    /**
     * Lets a directory sign in the users of an account. Earlier sessions end. Users stay registered until the next sign-in decides.
     *
     * @throws NotFoundException    the account or the directory does not exist
     * @throws BadRequestException  the account has no verified domain
     * @throws ConflictException    the account has an OpenID provider or another directory · another account uses the directory
     */
    ConnectDirectory: {
      async handle(call, { AccountId, DirectoryId }) {
        const account = await accountOrNotFound(call, AccountId);
        const directory = await directoryOrNotFound(call, DirectoryId);
        if (account.accountType === 'Team') throw badRequest(IS_TEAM);
        if (directory.document.AccountId === account.chimeAccountId) return { Directory: toDirectory(directory) };
        if (account.accountType !== 'EnterpriseLWA' || directory.document.AccountId !== undefined) throw conflict();
        const withDirectory = { ...account, document: { ...account.document, directoryId: directory.id } };
        await setProvider(call, withDirectory, 'EnterpriseDirectory');
        const connected: DirectoryRecord = {
          ...directory,
          updatedAt: call.now,
          document: { ...directory.document, AccountId: account.chimeAccountId },
        };
        await call.tx.resources.put(CHIME_DIRECTORY, connected);
        const { accountId, chimeAccountId } = account;
        await call.tx.of(directorySyncs).put({ accountId, chimeAccountId, dueAt: call.now });
        return { Directory: toDirectory(connected) };
      },
    },

    /**
     * Ends the use of a directory. The users stay in the account, and the sessions end. Registered users choose a password with the link of a mail.
     *
     * @throws NotFoundException  the account or the directory does not exist, or the account does not use the directory
     */
    DisconnectDirectory: {
      async handle(call, { AccountId, DirectoryId }) {
        const account = await accountOrNotFound(call, AccountId);
        const directory = await directoryOrNotFound(call, DirectoryId);
        if (directory.document.AccountId !== account.chimeAccountId) throw notFound('Directory', DirectoryId);
        await call.tx.of(accounts).put(await withoutProvider(call, account));
        return {};
      },
    },

    /** @throws NotFoundException  the directory does not exist · ConflictException  an account uses it */
    UnauthorizeDirectory: {
      async handle(call, { DirectoryId }) {
        const directory = await directoryOrNotFound(call, DirectoryId);
        if (directory.document.AccountId !== undefined) throw conflict();
        await call.tx.resources.remove(CHIME_DIRECTORY, directory);
        return {};
      },
    },

    /** @throws BadRequestException  the token is invalid */
    ListDirectories: {
      async handle(call, input) {
        const all = await call.tx.resources.list(CHIME_DIRECTORY, directoriesOf(call.accountId), DIRECTORIES_MAX);
        const { items, rest } = await pageOf(
          'ListDirectories',
          input,
          async (limit, after = '') => all.filter(({ id }) => id > after).slice(0, limit),
          ({ id }) => id,
        );
        const Directories: Directory[] = [];
        for (const each of items) {
          const { AccountId } = each.document;
          Directories.push(toDirectory(each, AccountId === undefined ? undefined : await call.tx.of(directorySyncs).get(AccountId)));
        }
        return { Directories, ...rest };
      },
    },
  } satisfies Partial<ServiceOperations<ChimeApi>>;
}

async function directoryOrNotFound({ tx, accountId }: Pick<Call, 'tx' | 'accountId'>, id: string): Promise<DirectoryRecord> {
  const directory = await tx.resources.get(CHIME_DIRECTORY, { ...directoriesOf(accountId), id });
  if (directory === undefined) throw notFound('Directory', id);
  return directory;
}

/** Reports whether a text has only certificates in PEM. */
function areCertificates(pem: string): boolean {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0 || blocks.length > CERTIFICATES_MAX) return false;
  try {
    return blocks.every((block) => new X509Certificate(block).ca);
  } catch {
    return false;
  }
}

/** Returns a directory in the shape of the model. `sync` is the synchronization of its account, which only lists show. */
function toDirectory({ id, createdAt, document }: DirectoryRecord, sync?: DirectorySyncRecord): Directory {
  const { Name, Url, BaseDn, BindDn, AccountId } = document;
  return omitUndefined({
    ...{ DirectoryId: id, Name, Url, BaseDn, BindDn, AccountId, CreatedTimestamp: createdAt },
    ...{ SyncedTimestamp: sync?.syncedAt, SyncProblem: sync?.problem },
    DirectoryStatus: AccountId === undefined ? ('Authorized' as const) : ('Connected' as const),
  });
}
