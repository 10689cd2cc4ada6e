/** Client of LDAP directories: reads a directory with TLS, and compares passwords by a bind. The library encodes filters, so that no text is parsed. */
import { randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { Client, InvalidCredentialsError, InvalidDNSyntaxError, NoSuchObjectError, PresenceFilter, ResultCodeError } from 'ldapts';
import { isInternal, publicLookup } from '#access/guarded-fetch.ts';
import type { DirectorySettings, FoundPerson, ReadPeople } from '../../core/services.ts';
import { addressAndName, DirectoryProblem, groupsOf, hasOtherEntry, isDisabled, OPERATION_MS, peopleIn, personIn } from './ldap-reads.ts';

/** Time of the beginning of a connection, and of all reads of people in a connection. Assumed. */
const CONNECT_MS = 3_000;
const READS_MS = 20_000;
/** Most bytes that a directory sends in one connection. */
const MAX_BYTES = 2_097_152;
const DEFAULT_PORT = '636';

export interface Directories {
  /** Reads the base of a directory. Resolves to undefined, or to the reason why it cannot be read. */
  check(settings: DirectorySettings): Promise<string | undefined>;
  /**
   * Compares the password of the person with an address. Resolves to 'wrong' also for an unknown, ambiguous or disabled person.
   *
   * Before the comparison it calls `isAdmitted` with the primary address of the person, because a person can have several addresses. An unknown
   * person has the given one.
   *
   * @throws DirectoryProblem  the directory cannot be read
   */
  signIn(
    settings: DirectorySettings,
    credentials: { readonly email: string; readonly password: string },
    isAdmitted: (address: string) => Promise<boolean>,
  ): Promise<FoundPerson | 'wrong'>;
  /**
   * Reports whether a person with the entry `former` exists, also a disabled one, and is not the one with the entry `current`.
   *
   * @throws DirectoryProblem  the directory cannot be read
   */
  hasOtherEntry(settings: DirectorySettings, entries: { readonly former: string; readonly current: string | undefined }): Promise<boolean>;
  /** Reads people by their entries or primary addresses. The result is complete, or is the reason why the directory cannot be read. */
  readonly readPeople: ReadPeople;
}

/** Creates the client. `readsMs` is the time of all reads in a connection. `internalHosts` may have internal addresses: `dc.corp.example`, and with a port other than 636 `localhost:1636`. */
export function ldapDirectories(internalHosts: readonly string[], readsMs = READS_MS): Directories {
  /** Runs `use` with a connection, and closes it. */
  async function connected<Value>(settings: DirectorySettings, use: (client: Client) => Promise<Value>): Promise<Value> {
    const { url, tlsOptions } = guarded(settings, internalHosts);
    let isConnected = false;
    const client = new Client({
      ...{ url, tlsOptions, timeout: OPERATION_MS, connectTimeout: CONNECT_MS },
      // The library connects again after a loss. That connection would be anonymous, and a search would find less than there is.
      createSecureConnection: ((...args: Parameters<typeof connect>) => {
        if (isConnected) throw new DirectoryProblem(UNREACHABLE);
        isConnected = true;
        return boundedConnect(...args);
      }) as typeof connect,
    });
    try {
      return await use(client);
    } catch (error) {
      throw problemOf(error);
    } finally {
      await client.unbind().catch(() => undefined);
    }
  }

  async function bindAsServer(client: Client, { bindDn, bindPassword }: DirectorySettings): Promise<void> {
    try {
      await client.bind(bindDn, bindPassword);
    } catch (error) {
      if (error instanceof ResultCodeError) throw new DirectoryProblem('The directory refused BindDn and its password.');
      throw error;
    }
  }

  /**
   * Binds and reads. A person in many groups needs many searches, each of which a slow directory can delay.
   *
   * @throws DirectoryProblem  also if the reads take longer than `readsMs`
   */
  function reading<Value>(settings: DirectorySettings, read: (client: Client) => Promise<Value>): Promise<Value> {
    return connected(settings, async (client) => {
      let timer: NodeJS.Timeout | undefined;
      const tooLong = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(new DirectoryProblem('The directory takes too long.')), readsMs);
      });
      const boundRead = async () => {
        await bindAsServer(client, settings);
        return await read(client);
      };
      try {
        return await Promise.race([boundRead(), tooLong]);
      } finally {
        clearTimeout(timer);
      }
    });
  }

  return {
    async check(settings) {
      try {
        await connected(settings, async (client) => {
          await bindAsServer(client, settings);
          const filter = new PresenceFilter({ attribute: 'objectClass' });
          const { searchEntries } = await client.search(settings.baseDn, { scope: 'base', attributes: ['objectClass'], filter });
          if (searchEntries.length === 0) throw new DirectoryProblem(NO_BASE);
        });
        return undefined;
      } catch (error) {
        return (error as DirectoryProblem).message;
      }
    },

    async signIn(settings, { email, password }, isAdmitted) {
      // A bind without a password succeeds without authentication. Source: RFC 4513, section 5.1.2.
      if (password === '') return 'wrong';
      const found = await reading(settings, async (client) => {
        const entry = await personIn(client, settings, email);
        return entry === undefined ? undefined : { entry, groups: await groupsOf(client, settings, entry) };
      });
      const person = found && addressAndName(settings, found.entry);
      if (!(await isAdmitted(person?.email?.toLowerCase() ?? email))) return 'wrong';
      // For an unknown person the bind fails too, so that the time does not tell whether the person exists.
      const dn = found?.entry.dn ?? `cn=${randomUUID()},${settings.baseDn}`;
      const isRight = await connected(settings, async (client) => {
        try {
          await client.bind(dn, password);
          return true;
        } catch (error) {
          if (error instanceof ResultCodeError) return false;
          throw error;
        }
      });
      if (!isRight || found === undefined || isDisabled(found.entry)) return 'wrong';
      return { ...addressAndName(settings, found.entry), groups: found.groups };
    },

    hasOtherEntry: (settings, entries) => reading(settings, (client) => hasOtherEntry(client, settings, entries)),

    async readPeople(settings, people) {
      try {
        return await reading(settings, (client) => peopleIn(client, settings, people));
      } catch (error) {
        return (error as DirectoryProblem).message;
      }
    },
  };
}

const NO_BASE = 'The directory has no entry BaseDn that BindDn can read.';
const UNREACHABLE = 'The directory cannot be reached with TLS and a trusted certificate.';

/** Returns the options of a connection. @throws DirectoryProblem  the address is internal, and the operator does not allow the host */
function guarded({ url: text, caCertificates }: DirectorySettings, internalHosts: readonly string[]) {
  const url = new URL(text);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port || DEFAULT_PORT;
  const isAllowed = internalHosts.includes(port === DEFAULT_PORT ? url.hostname : `${url.hostname}:${port}`);
  const internal = () => new DirectoryProblem('The directory has an internal address, which BELFRY_INTERNAL_DIRECTORIES does not allow.');
  // The look-up does not run for a host that is an IP address.
  if (!isAllowed && isIP(host) !== 0 && isInternal(host)) throw internal();
  const tlsOptions: ConnectionOptions = {
    minVersion: 'TLSv1.2',
    ...(isIP(host) === 0 && { servername: host }),
    ...(caCertificates !== undefined && { ca: caCertificates }),
    ...(!isAllowed && { lookup: publicLookup(internal) }),
  };
  return { url: `ldaps://${url.hostname}:${port}`, tlsOptions };
}

/** Connects, and closes the connection if the directory sends too much. */
const boundedConnect = ((...args: Parameters<typeof connect>) => {
  const socket = connect(...args);
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_BYTES) socket.destroy(new DirectoryProblem('The directory sent too much.'));
  });
  return socket;
}) as typeof connect;

function problemOf(error: unknown): DirectoryProblem {
  if (error instanceof DirectoryProblem) return error;
  if (error instanceof NoSuchObjectError || error instanceof InvalidDNSyntaxError || error instanceof InvalidCredentialsError)
    return new DirectoryProblem(NO_BASE);
  return new DirectoryProblem(UNREACHABLE);
}
