/** LDAP directories outside of the server, as services read them. */

/** Address, base and credentials with which the server reads a directory. */
export interface DirectorySettings {
  readonly url: string;
  readonly baseDn: string;
  readonly bindDn: string;
  readonly bindPassword: string;
  /** Authorities in PEM that the server trusts. Undefined: those of the system. */
  readonly caCertificates: string | undefined;
  readonly emailAttribute: string;
  readonly proxyAddressAttribute: string;
  readonly displayNameAttribute: string;
}

/** Person in a directory. */
export interface FoundPerson {
  /** Primary address. */
  readonly email: string | undefined;
  readonly displayName: string | undefined;
  /** Names of the groups of which the entry is a member, also through other groups. */
  readonly groups: readonly string[];
  /** ID of the entry, which stays when the address and the name change. Absent if the directory shows none. */
  readonly entryId?: string | undefined;
}

/** Person that is looked for. */
export interface SoughtPerson {
  /** Primary address in lower case. */
  readonly email: string;
  /** ID of the entry that the person had before. */
  readonly entryId?: string | undefined;
}

/**
 * Reads people by their entries, or by their primary addresses if they have no known entry, or if it does not exist any more. Resolves to the people who are in the directory and not disabled, or to the
 * reason for administrators if not all could be read: a fixed sentence. The keys are the addresses that were passed.
 */
export type ReadPeople = (
  settings: DirectorySettings,
  people: readonly SoughtPerson[],
) => Promise<ReadonlyMap<string, FoundPerson> | string>;

/**
 * Reads the base of a directory with its settings. Resolves to undefined, or to the reason for administrators: a fixed sentence without anything that
 * the directory sent.
 */
export type CheckDirectory = (settings: DirectorySettings) => Promise<string | undefined>;
