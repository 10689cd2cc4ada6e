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
}

/**
 * Reads people by their primary addresses, which are in lower case. Resolves to the people who are in the directory and not disabled, or to the
 * reason for administrators if not all could be read: a fixed sentence.
 */
export type ReadPeople = (settings: DirectorySettings, emails: readonly string[]) => Promise<ReadonlyMap<string, FoundPerson> | string>;

/**
 * Reads the base of a directory with its settings. Resolves to undefined, or to the reason for administrators: a fixed sentence without anything that
 * the directory sent.
 */
export type CheckDirectory = (settings: DirectorySettings) => Promise<string | undefined>;
