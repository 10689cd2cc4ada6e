/** Stored directories of AWS accounts. */
import type { AccountId } from '#core/arn.ts';
import type { Vault } from '#core/vault.ts';
import type { ResourceKey, ResourceKind, ResourcePlace, ResourceRecord } from '#store/resources.ts';
import type { DirectorySettings } from '../kit/directories.ts';
import type { Reseal } from '../kit/service.ts';

export interface DirectoryDocument {
  readonly Name: string;
  readonly Url: string;
  readonly BaseDn: string;
  readonly BindDn: string;
  /** Password of `BindDn`, encrypted by `Vault.seal`, bound to `directoryBinding`. */
  readonly sealedPassword: string;
  readonly CaCertificates?: string;
  readonly EmailAttribute: string;
  readonly ProxyAddressAttribute: string;
  readonly DisplayNameAttribute: string;
  /** Account that uses the directory. */
  readonly AccountId?: string;
}

/** Directories. They have no parent, because an AWS account authorizes a directory before an account connects it. */
export const CHIME_DIRECTORY: ResourceKind<DirectoryDocument> = { name: 'chime-directory' };
export type DirectoryRecord = ResourceRecord<DirectoryDocument>;

/** Returns the place of the directories of an AWS account. */
export function directoriesOf(accountId: AccountId): ResourcePlace {
  return { accountId, region: '', parent: '' };
}

/** Returns the `boundTo` argument of `Vault.seal` for the password of a directory. */
export function directoryBinding({ accountId, id }: ResourceKey): string {
  return `chime-directory/${accountId}/${id}`;
}

/** Returns a directory whose password is encrypted with the newest operator key. */
export function resealedDirectory(directory: DirectoryRecord, reseal: Reseal): DirectoryRecord {
  const sealedPassword = reseal(directory.document.sealedPassword, directoryBinding(directory));
  return { ...directory, document: { ...directory.document, sealedPassword } };
}

/** Returns the settings of a stored directory. */
export function settingsOf(vault: Pick<Vault, 'open'>, directory: DirectoryRecord): DirectorySettings {
  const { document } = directory;
  return {
    url: document.Url,
    baseDn: document.BaseDn,
    bindDn: document.BindDn,
    bindPassword: vault.open(document.sealedPassword, directoryBinding(directory)),
    caCertificates: document.CaCertificates,
    emailAttribute: document.EmailAttribute,
    proxyAddressAttribute: document.ProxyAddressAttribute,
    displayNameAttribute: document.DisplayNameAttribute,
  };
}
