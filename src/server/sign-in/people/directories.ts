/** Sign-in of people whose account has a directory. */
import type { Answer } from '#core/exchange.ts';
import { newContacts } from '../../core/offload.ts';
import type { DirectoryOfAccount, FoundPerson } from '../../core/services.ts';
import type { PageRequest } from '../site.ts';
import { messagePage, signInPage } from './html.ts';
import { ldapDirectories } from './ldap.ts';
import { DirectoryProblem } from './ldap-reads.ts';
import { beginClaimed, type Pages, refused, toOwnPage } from './page-parts.ts';
import { recordPerson } from './records.ts';

/** Most sign-ins at directories that run at a time: of all accounts, and of one. */
const CONTACTS = { most: 32, mostOfAccount: 8 } as const;

/** Person whose password the directory has accepted. */
interface Verified {
  readonly person: FoundPerson;
  readonly goneEntryId: string | undefined;
}

/** Signs in a person with the password in the directory of their account. The address is in lower case. */
export type DirectorySignIn = (
  request: PageRequest,
  directory: DirectoryOfAccount,
  given: { readonly email: string; readonly password: string },
) => Promise<Answer>;

/** Creates the sign-in. A wrong password counts as one of this server. */
export function directorySignIn(pages: Pages): DirectorySignIn {
  const { parts, people, passwords } = pages;
  const directories = ldapDirectories(parts.internalDirectories);
  const contacts = newContacts(CONTACTS);

  /** Returns the entry that the user with the address of a person had, if it is another one that the directory no longer has. */
  async function goneEntryOf({ chimeAccountId, settings }: DirectoryOfAccount, person: FoundPerson): Promise<string | undefined> {
    const { email, entryId } = person;
    if (email === undefined) return undefined;
    const former = await parts.store.transaction((tx) => people.entryOfAddress(tx, chimeAccountId, email.toLowerCase()));
    if (former === undefined || former === entryId) return undefined;
    return (await directories.hasOtherEntry(settings, { former, current: entryId })) ? undefined : former;
  }

  return async (request, directory, { email, password }) => {
    const { accountId, chimeAccountId, settings } = directory;
    const retry = (status: number, message: string) => signInPage(status, message, email);
    const verify = (isAdmitted: (address: string) => Promise<boolean>) =>
      contacts(chimeAccountId, async () => {
        const person = await directories.signIn(settings, { email, password }, isAdmitted);
        return person === 'wrong' ? undefined : { person, goneEntryId: await goneEntryOf(directory, person) };
      });
    const enter = async (tx: Parameters<typeof beginClaimed>[1], { person, goneEntryId }: Verified) => {
      // The account may have another directory after the comparison.
      const now = await people.directoryFor(tx, parts.vault, email);
      if (now?.providerId !== directory.providerId) return undefined;
      const claims = { email: person.email, name: person.displayName, groups: person.groups };
      return await beginClaimed(pages, tx, request, {
        provider: now,
        claims,
        entry: { entryId: person.entryId, goneEntryId },
        lifetimeMs: people.DIRECTORY_SESSION_MS,
      });
    };
    try {
      const checked = await passwords.checkElsewhere(request, email, verify, enter);
      if (checked.outcome !== 'right') return await refused(parts, request, 'SignInUser', checked, retry, { accountId, chimeAccountId });
      if (checked.value === undefined) return retry(403, 'You cannot sign in. Contact the administrator of your account.');
      return toOwnPage(parts, request, checked.value);
    } catch (error) {
      if (!(error instanceof DirectoryProblem)) throw error;
      const user = { accountId, chimeAccountId };
      const event = { received: request, eventName: 'SignInUser', outcome: 'Failure', user, errorMessage: error.message } as const;
      await parts.store.transaction((tx) => recordPerson(parts, tx, event));
      return messagePage(502, 'The directory of your company does not respond', 'Please try again later, or contact your administrator.');
    }
  };
}
