/** A server with an app instance, for tests of messaging. */
import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { startAccount } from './account.ts';
import { newAppInstance, newAppInstanceUser } from './app-instance.ts';

/**
 * Starts a server with an app instance `chat`. Makes this process trust the server's certificate. `environment` has further `BELFRY_…`
 * settings.
 */
export async function startChat(environment: Readonly<Record<string, string>> = {}) {
  const account = await startAccount(environment);
  trustAuthority(account.server.caFile);
  const identity = account.identity();
  const chat = await newAppInstance(identity);
  return {
    ...account,
    identity,
    chat,
    /** Creates a user of the app instance. Returns the user's ARN. */
    appUser: (id: string) => newAppInstanceUser(identity, chat, id),
  };
}

/** Adds a server's certificate authority to the authorities that this process trusts. */
export function trustAuthority(caFile: string): void {
  setDefaultCACertificates([...getCACertificates('default'), readFileSync(caFile, 'utf8')]);
}
