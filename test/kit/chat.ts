/** A server with an app instance, for tests of messaging. */
import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { startAccount } from './account.ts';
import { newAppInstance, newAppInstanceUser } from './app-instance.ts';

/** Starts a server with an app instance `chat`. This process trusts its certificate. */
export async function startChat() {
  const account = await startAccount();
  trustAuthority(account.server.caFile);
  const identity = account.identity();
  const chat = await newAppInstance(identity);
  return {
    ...account,
    identity,
    chat,
    /** Creates a user of the app instance. Returns its ARN. */
    appUser: (id: string) => newAppInstanceUser(identity, chat, id),
  };
}

/** Adds a server's certificate authority to the trusted ones of this process. */
export function trustAuthority(caFile: string): void {
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(caFile, 'utf8')]);
}
